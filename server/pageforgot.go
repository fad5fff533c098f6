package server

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"reseed/errcodes"
	"reseed/members"
)

// forgotData is what the form that asks for a link shows.
type forgotData struct {
	Identifier string
	Refusal    string
}

// forgotPath is where the form of the visit's group is.
func (v *visit) forgotPath() string {
	if v.group.Zero() {
		return v.pages.base + "/resetpassword"
	}
	return v.pages.base + "/" + url.PathEscape(v.group.Name) + "/resetpassword"
}

// enter takes on the look of the group in the address, if there is one.
func (p *pages) enter(v *visit) error {
	escaped, ok := mux.Vars(v.Request)["group"]
	if !ok {
		return nil
	}
	name, err := url.PathUnescape(escaped)
	if err != nil {
		return malformed(nil)
	}
	g, err := p.Members.FindGroup(v.Context(), name)
	if errcodes.From(err).Code == errcodes.MissingGroup {
		return errcodes.New(errcodes.NoSuchService)
	}
	if err == nil {
		v.dress(g, "")
	}
	return err
}

func (p *pages) showForgot(v *visit) (*reply, error) {
	if err := p.enter(v); err != nil {
		return nil, err
	}
	if v.query().get("sent") != "" {
		return v.render(http.StatusOK, "sent", v.say("sent-title"), nil)
	}
	return v.render(http.StatusOK, "forgot", v.say("forgot-title"), forgotData{})
}

// postForgot asks for a link. What is said does not depend on whether there is
// such a member, or on how they are, whatever is disclosed elsewhere.
func (p *pages) postForgot(v *visit) (*reply, error) {
	if err := p.enter(v); err != nil {
		return nil, err
	}
	form, err := v.form()
	if err != nil {
		return nil, err
	}
	identifier := strings.TrimSpace(form.get("identifier"))
	if identifier == "" {
		return v.refuseForgot("", "forgot-empty")
	}
	r := members.ResetRequest{Async: true}
	if !v.group.Zero() {
		r.InGroup = "~" + v.group.Name
	}
	if strings.Contains(identifier, "@") {
		r.Email = identifier
	} else {
		r.Username = identifier
	}
	_, err = p.server.Members.Reset(v.Context(), members.Caller{}, r)
	if err != nil && errcodes.From(err).Code == errcodes.InvalidEmail {
		return v.refuseForgot(identifier, "forgot-invalid")
	}
	if err != nil && !aboutMember(err) {
		return nil, err
	}
	return redirect(v.forgotPath() + "?sent=1"), nil
}

// refuseForgot shows the form once more. The page's title is the reason: who
// hears the page hears it first.
func (v *visit) refuseForgot(identifier, reason string) (*reply, error) {
	return v.render(http.StatusUnprocessableEntity, "forgot", v.say(reason),
		forgotData{Identifier: identifier, Refusal: v.say(reason)})
}

// aboutMember reports whether an error tells something about a member.
func aboutMember(err error) bool {
	return slices.Contains([]errcodes.Code{
		errcodes.IdentifierRequired, errcodes.DifferentMembers, errcodes.NoSuchMember,
		errcodes.APIAccount, errcodes.AccountLocked, errcodes.NoEmail,
	}, errcodes.From(err).Code)
}
