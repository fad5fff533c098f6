package pages

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
	"github.com/reseed-project/reseed/server/request"
)

// action is something that the link of a mail leads to and that takes one
// click: programs that open the links of mails do nothing by it.
type action struct {
	path    string
	purpose password.Purpose
	texts   string // what the keys of its texts start with
	done    string // and those of what is said afterwards
	do      func(Members, context.Context, members.Link) (members.Profile, error)
}

func actions() []action {
	return []action{
		{"/activate", password.Activation, "activate", "activated", Members.ActivateLink},
		{"/confirmemail", password.EmailChange, "confirm-email", "email-confirmed", Members.ConfirmEmail},
	}
}

// actionData is what the page of an action shows.
type actionData struct {
	Path, Text, Submit string
	Member, Token      string
}

// actionLink reads a link. What can't be one of ours yields the zero Link.
func actionLink(p request.Params, purpose password.Purpose) members.Link {
	token := password.CleanToken(p.Get("token"))
	id, err := strconv.ParseUint(p.Get("member"), 10, 63)
	if err != nil || !password.WellFormed(purpose, token) {
		return members.Link{}
	}
	return members.Link{MemberID: int64(id), Token: token}
}

// show asks for the click.
func (a action) show(v *pageRequest) (*reply, error) {
	l := actionLink(v.query(), a.purpose)
	d, err := v.pages.Members.DescribeAction(v.Context(), l, a.purpose)
	if err != nil {
		return nil, err
	}
	v.applyLook(d.Group, d.Language)
	if d.State != members.LinkGood {
		return v.spent(http.StatusNotFound)
	}
	who := []string{"account", account(d.Member)}
	return v.render(http.StatusOK, "action", v.text(a.texts+"-title"), actionData{
		Path: v.pages.base + a.path, Text: v.text(a.texts+"-text", who...), Submit: v.text(a.texts + "-submit"),
		Member: strconv.FormatInt(l.MemberID, 10), Token: l.Token,
	}, who...)
}

// act does what was asked for.
func (a action) act(v *pageRequest) (*reply, error) {
	form, err := v.form()
	if err != nil {
		return nil, err
	}
	l := actionLink(form, a.purpose)
	d, err := v.pages.Members.DescribeAction(v.Context(), l, a.purpose)
	if err != nil {
		return nil, err
	}
	v.applyLook(d.Group, d.Language)
	_, err = a.do(v.pages.Members, v.Context(), l)
	if errors.Is(err, errcodes.New(errcodes.InvalidToken)) || errors.Is(err, errcodes.New(errcodes.IdentifierTaken)) {
		request.SetError(v.Context(), errcodes.From(err))
		return v.spent(http.StatusGone)
	}
	if err != nil {
		return nil, err
	}
	return v.render(http.StatusOK, "gone", v.text(a.done+"-title"), goneData{Text: v.text(a.done + "-text")})
}

func (v *pageRequest) spent(status int) (*reply, error) {
	return v.render(status, "gone", v.text("spent-title"), goneData{Text: v.text("spent-text")})
}
