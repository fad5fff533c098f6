package templates

import (
	"cmp"
	"strings"
	"time"
)

// SampleNotification is a notification to look at: of somebody who doesn't
// exist, and for a group of that name if there is one.
func SampleNotification(template, reason, group string) Notification {
	if isNotice(template) {
		reason = ""
	}
	n := sample(template, reason, nil, true)
	if group != "" {
		n.Group = &Group{ID: 3, Name: group, Owner: group}
	}
	return n
}

// SampleOn returns a sample as it is on a host, with the link that mails of its template
// have; linkPrefix may be empty.
func SampleOn(n Notification, hostURL, linkPrefix string) Notification {
	n.HostURL, n.LinkPrefix = hostURL, linkPrefix
	if n.Token == "" {
		return n
	}
	page := map[string]string{
		SetPassword:     "/changepassword?forgotPasswordToken=",
		ActivateAccount: "/activate?member=12&token=",
		ConfirmEmail:    "/confirmemail?member=12&token=",
	}[n.Template]
	n.Link = cmp.Or(linkPrefix, hostURL+"/email") + cmp.Or(page, "/changepassword?member=12&token=") + n.Token
	return n
}

// awkward has names that are long, of another script, or look like markup.
func awkward(n Notification) Notification {
	n.SiteName = `<b>Ümläut & "Söhne"</b>`
	n.Member = Member{
		ID: 1<<53 - 1, Firstname: "Zoë <i>O’Brien</i> & \"Ann\"", Lastname: strings.Repeat("ш", 50), Fullname: "محمد بن عبد الله",
		Username: strings.Repeat("u", 99), Email: strings.Repeat("a", 60) + "@example.org", Status: n.Member.Status,
	}
	if n.Group != nil {
		n.Group = &Group{ID: 1 << 52, Name: "acme-specs", Title: "Acme <&> 仕様書", Description: "]]> -->", Owner: "acme"}
	}
	return n
}

// samples returns notifications of every kind a template may meet: each
// reason, with every field, with every text as short as can be and with as few
// as can be, and if it serves without a group too, without one.
func samples(template string, withoutGroup bool) []Notification {
	reasons := []string{ReasonMember, ReasonAdmin, ReasonForced}
	if isNotice(template) {
		reasons = []string{""}
	}
	var all []Notification
	for _, reason := range reasons {
		for _, group := range []*Group{nil, {ID: 3}, sampleGroup()} {
			if group == nil && !withoutGroup {
				continue
			}
			for _, full := range []bool{true, false} {
				all = append(all, sample(template, reason, group, full))
			}
			all = append(all, brief(sample(template, reason, group, true)), awkward(sample(template, reason, group, true)))
		}
	}
	return all
}

func sample(template, reason string, group *Group, full bool) Notification {
	n := Notification{
		Template: template, Reason: reason, Group: group,
		HideIgnoreMessage: !full,
	}
	if !isNotice(template) {
		n.Token = "ujHidAn9kKjObQuVbl_vLMc9npOjAKj2"
	}
	n.Member.ID = 12
	n = SampleOn(n, "https://example.org/ps", "")
	if !full {
		return n
	}
	n.EmailDomain, n.SiteName = "example.org", "Example"
	n.Member = Member{
		ID: 12, Firstname: "John", Lastname: "Jones", Fullname: "John Jones",
		Username: "jjones", Email: "jjones@example.org", Status: "activated",
	}
	n.At = time.Date(2026, 11, 22, 4, 45, 0, 0, time.UTC)
	if !isNotice(template) {
		n.ValidFor, n.Expires = 12*time.Hour, n.At.Add(12*time.Hour)
	} else {
		n.Client = "203.0.113.0/24"
	}
	return n
}

// brief shortens the texts: a template that cuts them must not count on more.
func brief(n Notification) Notification {
	n.EmailDomain, n.SiteName = "x.yz", "X"
	n.Member = Member{
		ID: 1, Firstname: "J", Lastname: "J", Fullname: "J", Username: "j", Email: "j@x.yz", Status: n.Member.Status,
	}
	if n.Group != nil {
		n.Group = &Group{ID: 1, Name: "a", Title: "A", Description: "A", Owner: "a"}
	}
	return n
}

func sampleGroup() *Group {
	return &Group{
		ID: 3, Name: "acme-specs", Title: "Acme specifications",
		Description: "What Acme builds", Owner: "acme",
	}
}
