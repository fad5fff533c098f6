package pages

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
	"github.com/reseed-project/reseed/server/request"
	"github.com/reseed-project/reseed/templates"
)

// changeData is what the form for a new password shows.
type changeData struct {
	Username string // for password managers
	Admin    bool
	Digest   string
	Carried  members.Link // travels in the form if the browser keeps no cookies
	Refusal  string       // why the last try was refused
}

// doneData is what the page of the success shows.
type doneData struct {
	Next     string // where to go next, "": nowhere
	Reloaded bool   // the account is not told any more
}

// goneData is what a page says about a link that is of no use.
type goneData struct {
	Text  string
	Paste bool // offer to paste the link
	Ask   bool // offer to ask for a new one
}

// showChange serves the link of the mail. It takes the token out of the
// address bar, and spends nothing, however often it is asked.
func (p *Pages) showChange(v *pageRequest) (*reply, error) {
	if hasLink(v.URL) {
		l, _ := linkIn(v.query())
		a := redirect(p.base + "/changepassword")
		a.header.Set("Set-Cookie", p.cookie(linkCookie, cookieValue(l)))
		if _, err := v.Cookie(doneCookie); err == nil { // anyone who opens the link again is told that it was used
			a.header.Add("Set-Cookie", p.cookie(doneCookie, ""))
		}
		return a, nil
	}
	l, ok := cookieLink(v.Request)
	if !ok {
		return v.gone(http.StatusBadRequest, "missing")
	}
	return v.showLink(l, changeData{})
}

// showLink shows the form for a good link, or what is wrong with it.
func (v *pageRequest) showLink(l members.Link, data changeData) (*reply, error) {
	d, err := v.pages.Members.DescribeLink(v.Context(), l)
	if err != nil {
		return nil, err
	}
	v.applyLook(d.Group, d.Language)
	if d.State != members.LinkGood {
		return v.badLink(l, d)
	}
	m := d.Member
	data.Username, data.Admin, data.Digest = m.Username, m.Admin, linkDigest(l)
	if data.Username == "" {
		data.Username = m.Email
	}
	status, title := http.StatusOK, v.text("change-title")
	if data.Refusal != "" {
		status, title = http.StatusUnprocessableEntity, v.text("refused-title")
	}
	a, err := v.render(status, "change", title, data, "account", account(m))
	if err == nil && data.Carried.Token == "" {
		a.header.Set("Set-Cookie", v.pages.cookie(linkCookie, cookieValue(l))) // the time for it starts over
	}
	return a, err
}

// account is how a page calls somebody's account, as the mails do.
func account(m members.Member) string {
	return templates.Member{ID: m.ID, Fullname: m.Fullname(), Username: m.Username, Email: m.ReadableEmail()}.Account()
}

func (v *pageRequest) badLink(l members.Link, d members.LinkDetail) (*reply, error) {
	if d.State == members.LinkUsed && v.usedHere(l) {
		return v.done(d, true)
	}
	switch d.State {
	case members.LinkExpired:
		return v.gone(http.StatusGone, "expired")
	case members.LinkUsed:
		return v.gone(http.StatusGone, "used")
	default:
		return v.gone(http.StatusNotFound, "unknown")
	}
}

func (v *pageRequest) gone(status int, kind string) (*reply, error) {
	return v.render(status, "gone", v.text(kind+"-title"),
		goneData{Text: v.text(kind + "-text"), Paste: kind == "missing", Ask: kind != "other"})
}

// postChange sets the password, or shows the form for a link that was pasted.
func (p *Pages) postChange(v *pageRequest) (*reply, error) {
	form, err := v.form()
	if err != nil {
		return nil, err
	}
	if address, pasted := form["address"]; pasted {
		l := linkInAddress(address)
		return v.showLink(l, changeData{Carried: l})
	}
	l, data, ok := v.sentLink(form)
	if !ok {
		return v.gone(http.StatusBadRequest, "missing")
	}
	if form.Get("link") != linkDigest(l) {
		return v.gone(http.StatusConflict, "other")
	}
	return p.change(v, l, data, form)
}

// sentLink returns the link that a form was sent for: its own, or the cookie's.
func (v *pageRequest) sentLink(form request.Params) (members.Link, changeData, bool) {
	if l, ok := linkIn(form); ok {
		return l, changeData{Carried: l}, true
	}
	l, ok := cookieLink(v.Request)
	return l, changeData{}, ok
}

func (p *Pages) change(v *pageRequest, l members.Link, data changeData, form request.Params) (*reply, error) {
	pw := form.Get("member-password")
	reason := ""
	switch {
	case pw == "":
		reason = "empty"
	case pw != form.Get("member-password-again"):
		reason = "mismatch"
	}
	if reason != "" {
		data.Refusal = v.inLanguageOf(l).text("reason-" + reason)
		return v.showLink(l, data)
	}
	d, err := p.Members.CompleteLink(v.Context(), l, pw)
	v.applyLook(d.Group, d.Language)
	if fault := refusal(err); fault != "" {
		data.Refusal = v.text("reason-" + fault)
		request.SetError(v.Context(), errcodes.From(err))
		return v.showLink(l, data)
	}
	if errors.Is(err, errcodes.New(errcodes.InvalidToken)) {
		request.SetError(v.Context(), errcodes.From(err))
		return v.badLink(l, d)
	}
	if err != nil {
		return nil, err
	}
	a, err := v.done(d, false)
	if err == nil {
		a.header.Set("Set-Cookie", p.cookie(doneCookie, linkDigest(l)))
	}
	return a, err
}

// inLanguageOf applies a link's look ahead of time; if that fails the page will, too.
func (v *pageRequest) inLanguageOf(l members.Link) *pageRequest {
	if d, err := v.pages.Members.DescribeLink(v.Context(), l); err == nil {
		v.applyLook(d.Group, d.Language)
	}
	return v
}

// done tells of the success and where to go next: nobody is signed in by it,
// and nobody is sent anywhere without a click. The link's cookie stays, since a
// link that is spent opens nothing; another one says that this browser has spent
// it, so that reloading the page, or going back, shows the success again.
func (v *pageRequest) done(d members.LinkDetail, reloaded bool) (*reply, error) {
	next := d.RedirectURL
	if next == "" {
		next = v.look.NextURL("")
	}
	return v.render(http.StatusOK, "done", v.text("done-title"), doneData{next, reloaded}, "account", account(d.Member))
}

// refusal returns what is wrong with a password, "" if that is not the fault.
func refusal(err error) string {
	var weak *password.TooWeakError
	switch {
	case errors.As(err, &weak):
		return string(weak.Reason)
	case errors.Is(err, password.ErrIsIdentity):
		return "identity"
	default:
		return ""
	}
}

// strengthAnswer is what the page's script shows while a password is typed.
type strengthAnswer struct {
	Score int    `json:"score"` // 0 to 4
	Label string `json:"label"`
	Good  bool   `json:"good"` // would be accepted
	Text  string `json:"text"` // why not, or that it would
}

// strength measures a password by the rules that it will be held against.
func (p *Pages) strength(v *pageRequest) (*reply, error) {
	form, err := v.form()
	if err != nil {
		return nil, err
	}
	l, _, ok := v.sentLink(form)
	if !ok || form.Get("link") != linkDigest(l) {
		return nil, request.Malformed(nil) // a page that was left open guesses no token
	}
	j, err := p.Members.JudgePassword(v.Context(), l, form.Get("member-password"))
	if err != nil {
		return nil, err
	}
	v.inLanguageOf(l)
	answer := strengthAnswer{
		Score: int(j.Score), Label: v.text("strength-" + strconv.Itoa(int(j.Score))),
		Good: j.Fault == nil, Text: v.text("strength-good"),
	}
	if fault := refusal(j.Fault); fault != "" {
		answer.Text = v.text("reason-" + fault)
	}
	return jsonReply(http.StatusOK, answer)
}

func jsonReply(status int, value any) (*reply, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return newReply(status, "application/json;charset=utf-8", body), nil
}
