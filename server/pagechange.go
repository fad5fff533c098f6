package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"reseed/errcodes"
	"reseed/members"
	"reseed/password"
	"reseed/templates"
)

// changeData is what the form for a new password shows.
type changeData struct {
	Username string // for password managers
	Admin    bool
	Mark     string
	Carried  members.Link // travels in the form where the browser keeps no cookies
	Refusal  string       // why the last try was refused
}

// goneData is what a page says about a link that is of no use.
type goneData struct {
	Text  string
	Paste bool // offer to paste the link
	Ask   bool // offer to ask for a new one
}

// showChange serves the link of the mail. It takes the token out of the
// address bar, and spends nothing, however often it is asked.
func (p *pages) showChange(v *visit) (*reply, error) {
	if hasLink(v.URL) {
		l, _ := linkIn(v.query())
		a := redirect(p.base + "/changepassword")
		a.header.Set("Set-Cookie", p.cookie(cookieValue(l)))
		return a, nil
	}
	l, ok := cookieLink(v.Request)
	if !ok {
		return v.gone(http.StatusBadRequest, "missing")
	}
	return v.showLink(l, changeData{})
}

// showLink shows the form for a good link, or what is wrong with it.
func (v *visit) showLink(l members.Link, data changeData) (*reply, error) {
	d, err := v.pages.Members.DescribeLink(v.Context(), l)
	if err != nil {
		return nil, err
	}
	v.dress(d.Group, d.Language)
	if d.State != members.LinkGood {
		return v.badLink(d)
	}
	m := d.Member
	data.Username, data.Admin, data.Mark = m.Username, m.Admin, mark(l)
	if data.Username == "" {
		data.Username = m.Email
	}
	status, title := http.StatusOK, v.say("change-title")
	if data.Refusal != "" {
		status, title = http.StatusUnprocessableEntity, v.say("refused-title")
	}
	a, err := v.render(status, "change", title, data, "account", account(m))
	if err == nil && data.Carried.Token == "" {
		a.header.Set("Set-Cookie", v.pages.cookie(cookieValue(l))) // the time for it starts over
	}
	return a, err
}

// account is how a page calls somebody's account, as the mails do.
func account(m members.Member) string {
	return templates.Member{ID: m.ID, Fullname: m.Fullname(), Username: m.Username, Email: m.Email}.Account()
}

func (v *visit) badLink(d members.LinkDetail) (*reply, error) {
	switch d.State {
	case members.LinkExpired:
		return v.gone(http.StatusGone, "expired")
	case members.LinkUsed:
		return v.gone(http.StatusGone, "used")
	default:
		return v.gone(http.StatusNotFound, "unknown")
	}
}

func (v *visit) gone(status int, kind string) (*reply, error) {
	return v.render(status, "gone", v.say(kind+"-title"),
		goneData{Text: v.say(kind + "-text"), Paste: kind == "missing", Ask: kind != "other"})
}

// postChange sets the password, or shows the form for a link that was pasted.
func (p *pages) postChange(v *visit) (*reply, error) {
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
	if form.get("link") != mark(l) {
		return v.gone(http.StatusConflict, "other")
	}
	return p.change(v, l, data, form)
}

// sentLink returns the link that a form was sent for: its own, or the cookie's.
func (v *visit) sentLink(form params) (members.Link, changeData, bool) {
	if l, ok := linkIn(form); ok {
		return l, changeData{Carried: l}, true
	}
	l, ok := cookieLink(v.Request)
	return l, changeData{}, ok
}

func (p *pages) change(v *visit, l members.Link, data changeData, form params) (*reply, error) {
	pw := form.get("member-password")
	reason := ""
	switch {
	case pw == "":
		reason = "empty"
	case pw != form.get("member-password-again"):
		reason = "mismatch"
	}
	if reason != "" {
		data.Refusal = v.inLanguageOf(l).say("reason-" + reason)
		return v.showLink(l, data)
	}
	d, err := p.Members.CompleteLink(v.Context(), l, pw)
	v.dress(d.Group, d.Language)
	if fault := refusal(err); fault != "" {
		data.Refusal = v.say("reason-" + fault)
		noteError(v.Context(), errcodes.From(err))
		return v.showLink(l, data)
	}
	if errors.Is(err, errcodes.New(errcodes.InvalidToken)) {
		noteError(v.Context(), errcodes.From(err))
		return v.badLink(d)
	}
	if err != nil {
		return nil, err
	}
	return v.done(d)
}

// inLanguageOf dresses for a link ahead of time; where that fails the page will, too.
func (v *visit) inLanguageOf(l members.Link) *visit {
	if d, err := v.pages.Members.DescribeLink(v.Context(), l); err == nil {
		v.dress(d.Group, d.Language)
	}
	return v
}

// done tells of the success and where to go next: nobody is signed in by it,
// and nobody is sent anywhere without a click. The cookie stays, since a link
// that is spent opens nothing: who reloads the page, or goes back, is told that
// the link has been used.
func (v *visit) done(d members.LinkDetail) (*reply, error) {
	next := d.RedirectURL
	if next == "" {
		next = v.look.NextURL("")
	}
	return v.render(http.StatusOK, "done", v.say("done-title"), next, "account", account(d.Member))
}

// refusal returns what is wrong with a password, "" where that is not the fault.
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
func (p *pages) strength(v *visit) (*reply, error) {
	form, err := v.form()
	if err != nil {
		return nil, err
	}
	l, _, ok := v.sentLink(form)
	if !ok || form.get("link") != mark(l) {
		return nil, malformed(nil) // a page that was left open guesses no token
	}
	j, err := p.Members.JudgePassword(v.Context(), l, form.get("member-password"))
	if err != nil {
		return nil, err
	}
	v.inLanguageOf(l)
	answer := strengthAnswer{
		Score: int(j.Score), Label: v.say("strength-" + strconv.Itoa(int(j.Score))),
		Good: j.Fault == nil, Text: v.say("strength-good"),
	}
	if fault := refusal(j.Fault); fault != "" {
		answer.Text = v.say("reason-" + fault)
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
