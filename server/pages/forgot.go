package pages

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/server/request"
)

// forgotData is what the form that asks for a link shows.
type forgotData struct {
	Identifier string
	Refusal    string
}

// forgotPath is where the form of the group is.
func (v *pageRequest) forgotPath() string {
	if v.group.Zero() {
		return v.pages.base + "/resetpassword"
	}
	return v.pages.base + "/" + url.PathEscape(v.group.Name) + "/resetpassword"
}

// applyGroup takes on the look of the group in the address, if there is one.
func (p *Pages) applyGroup(v *pageRequest) error {
	escaped, ok := mux.Vars(v.Request)["group"]
	if !ok {
		return nil
	}
	name, err := url.PathUnescape(escaped)
	if err != nil {
		return request.Malformed(nil)
	}
	g, err := p.Members.FindGroup(v.Context(), name)
	if errcodes.From(err).Code == errcodes.MissingGroup {
		return errcodes.New(errcodes.NoSuchService)
	}
	if err == nil {
		v.applyLook(g, "")
	}
	return err
}

func (p *Pages) showForgot(v *pageRequest) (*reply, error) {
	if err := p.applyGroup(v); err != nil {
		return nil, err
	}
	if v.query().Get("sent") != "" {
		return v.render(http.StatusOK, "sent", v.text("sent-title"), nil)
	}
	return v.render(http.StatusOK, "forgot", v.text("forgot-title"), forgotData{})
}

// postForgot asks for a link. What is said does not depend on whether there is
// such a member, or on how they are, whatever is disclosed elsewhere.
func (p *Pages) postForgot(v *pageRequest) (*reply, error) {
	if err := p.applyGroup(v); err != nil {
		return nil, err
	}
	form, err := v.form()
	if err != nil {
		return nil, err
	}
	identifier := members.CleanIdentifier(form.Get("identifier"))
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
	_, err = p.Members.Reset(v.Context(), members.Caller{}, r)
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
func (v *pageRequest) refuseForgot(identifier, reason string) (*reply, error) {
	return v.render(http.StatusUnprocessableEntity, "forgot", v.text(reason),
		forgotData{Identifier: identifier, Refusal: v.text(reason)})
}

// aboutMember reports whether an error tells something about a member.
func aboutMember(err error) bool {
	return slices.Contains([]errcodes.Code{
		errcodes.IdentifierRequired, errcodes.DifferentMembers, errcodes.NoSuchMember,
		errcodes.APIAccount, errcodes.AccountLocked, errcodes.NoEmail,
	}, errcodes.From(err).Code)
}
