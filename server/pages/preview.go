package pages

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/templates"
)

// previewData is what the preview of mail templates shows.
type previewData struct {
	Group, Template, Reason, Lang string
	Templates, Reasons            []string
	Groups                        []string
	Fault                         string // why the templates folder was not read again, or the mail not rendered
	From, Subject, Text           string
	Frame                         string // address of the HTML part, "" without one
}

// showPreview shows a mail of a group with a sample's data. The templates
// folder is read again each time: what is saved shows at the next reload.
func (p *Pages) showPreview(v *pageRequest) (*reply, error) {
	data := previewOf(v)
	if err := p.Looks.Reload(); err != nil {
		data.Fault = err.Error()
	}
	all, err := p.Members.AllGroups(v.Context())
	if err != nil {
		return nil, err
	}
	for _, g := range all {
		data.Groups = append(data.Groups, g.Name)
	}
	r, err := p.renderPreview(v, data)
	if err == nil {
		data.From, data.Subject, data.Text = r.Settings.FromName, r.Subject, r.Text
		query := url.Values{"group": {data.Group}, "template": {data.Template}, "reason": {data.Reason}, "lang": {data.Lang}}
		data.Frame = "/dev/mail/preview/html?" + query.Encode()
	} else {
		data.Fault = cmp.Or(data.Fault, err.Error())
	}
	v.showAsReseed()
	a, err := v.render(http.StatusOK, "preview", "Preview", data)
	if err == nil {
		a.header.Set("Content-Security-Policy", framePolicy)
	}
	return a, err
}

// showPreviewHTML serves the HTML part for the frame, as that of a captured mail.
func (p *Pages) showPreviewHTML(v *pageRequest) (*reply, error) {
	r, err := p.renderPreview(v, previewOf(v))
	if err != nil {
		return nil, err
	}
	return frameOf(r.HTML), nil
}

func previewOf(v *pageRequest) previewData {
	q := v.query()
	d := previewData{
		Group: q.Get("group"), Template: q.Get("template"), Reason: q.Get("reason"), Lang: q.Get("lang"),
		Templates: templates.Names(),
		Reasons:   []string{templates.ReasonMember, templates.ReasonAdmin, templates.ReasonForced},
	}
	if !slices.Contains(d.Templates, d.Template) {
		d.Template = templates.ResetPasswordConfirm
	}
	if !slices.Contains(d.Reasons, d.Reason) {
		d.Reason = templates.ReasonMember
	}
	return d
}

func (p *Pages) renderPreview(v *pageRequest, d previewData) (templates.Rendered, error) {
	g := groups.Group{Name: d.Group}
	if d.Group != "" {
		found, err := p.Members.FindGroup(v.Context(), d.Group)
		if err != nil {
			return templates.Rendered{}, err
		}
		g = found
	}
	n := templates.SampleNotification(d.Template, d.Reason, g.Name)
	if n.Group != nil {
		n.Group.Title, n.Group.Description = g.Title, g.Description
	}
	own := p.Looks.Settings(g.Chain())
	n = templates.SampleOn(n, cmp.Or(own.HostURL, p.HostURL), own.LinkPrefix)
	n.SiteName, n.Language = p.SiteName, cmp.Or(strings.TrimSpace(d.Lang), own.Language)
	return p.Looks.Render(v.Context(), g.Chain(), n)
}
