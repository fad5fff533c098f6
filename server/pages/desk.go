package pages

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gorilla/mux"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/server/request"
)

// Desk is what the help desk's pages need of the use cases. All of them but
// signing in and out refuse anyone but administrators.
type Desk interface {
	LoginAdmin(ctx context.Context, name, password, replaced string) (id string, m members.Member, err error)
	Session(ctx context.Context, id string) (members.Member, error)
	Logout(ctx context.Context, id string) error

	SearchMembers(ctx context.Context, caller members.Caller, text string) (found []members.Member, more bool, err error)
	Dossier(ctx context.Context, caller members.Caller, id int64) (members.Dossier, error)
	SendLink(ctx context.Context, caller members.Caller, id int64) error
	Lock(ctx context.Context, caller members.Caller, id int64) error
	Unlock(ctx context.Context, caller members.Caller, name string) (members.Profile, error)
	DeskQueue(ctx context.Context, caller members.Caller) (members.DeskQueue, error)
	RetryMail(ctx context.Context, caller members.Caller, id string) (bool, error)
}

// deskCookie names the session of the help desk. It is none of the services':
// they don't read it, and the pages don't read theirs.
const deskCookie = "reseed_desk"

// maxDeskCookie bounds what is looked up; ours have 43 bytes.
const maxDeskCookie = 64

// deskRoutes lists the help desk's pages.
func (p *Pages) deskRoutes(r *mux.Router) {
	admin := p.prefix + "/admin"
	r.Handle(admin, p.handle(p.forAdmin(p.showDesk), p.forAdmin(p.searchDesk)))
	r.Handle(admin+"/signin", p.handle(p.showDeskSignIn, p.postDeskSignIn))
	r.Handle(admin+"/signout", p.handle(nil, p.forAdmin(p.deskSignOut)))
	r.Handle(admin+"/members/{id}", p.handle(p.forAdmin(p.showDossier), nil))
	for _, act := range deskActs() {
		r.Handle(admin+"/members/{id}/"+act.path, p.handle(nil, p.forAdmin(p.actOn(act))))
	}
	r.Handle(admin+"/mails", p.handle(p.forAdmin(p.showDeskQueue), nil))
	r.Handle(admin+"/mails/{id}/retry", p.handle(nil, p.forAdmin(p.retryDeskMail)))
	r.PathPrefix(admin + "/").Handler(p.handle(p.notFound, p.notFound))
}

// deskRequest is a page request of an administrator who is signed in.
type deskRequest struct {
	*pageRequest
	caller  members.Caller
	session string
	form    request.Params // of a POST
}

// deskPage is a page of the help desk.
type deskPage func(*deskRequest) (*reply, error)

// forAdmin runs a page for an administrator who signed in here, and leads
// anybody else to the form for that. A form must carry the session's own mark:
// no other page could know it.
func (p *Pages) forAdmin(f deskPage) page {
	return func(v *pageRequest) (*reply, error) {
		id, m, err := p.deskSession(v)
		if err != nil {
			return nil, err
		}
		if !m.Admin {
			return redirect(p.desk() + "/signin"), nil
		}
		d := &deskRequest{pageRequest: v, caller: members.Caller{Member: m}, session: id}
		if v.Method != http.MethodPost {
			return f(d)
		}
		if d.form, err = v.form(); err != nil {
			return nil, err
		}
		if subtle.ConstantTimeCompare([]byte(d.form.Get("desk")), []byte(d.mark())) != 1 {
			return nil, errcodes.New(errcodes.Forbidden)
		}
		return f(d)
	}
}

// deskSession returns the session that the browser brings and whose it is, nobody's
// if it is no good any more.
func (p *Pages) deskSession(v *pageRequest) (string, members.Member, error) {
	c, err := v.Cookie(deskCookie)
	if err != nil || c.Value == "" || len(c.Value) > maxDeskCookie {
		return "", members.Member{}, nil
	}
	m, err := p.Desk.Session(v.Context(), c.Value)
	if err != nil && errcodes.From(err).HTTPStatus() == http.StatusUnauthorized {
		return "", members.Member{}, nil
	}
	return c.Value, m, err
}

// mark is what the forms of a session carry. It doesn't give the session away.
func (d *deskRequest) mark() string {
	sum := sha256.Sum256([]byte("reseed/desk/v1\x00" + d.session))
	return hex.EncodeToString(sum[:16])
}

// desk is the path of the help desk, as browsers know it.
func (p *Pages) desk() string { return p.host.EscapedPath() + "/admin" }

// deskSessionCookie goes to the help desk alone, and never along with a request
// that another site's page makes.
func (p *Pages) deskSessionCookie(id string) string {
	c := http.Cookie{ //nolint:gosec // G124: Secure follows the host URL: over plain http browsers drop secure cookies
		Name: deskCookie, Value: id, Path: p.desk(),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: p.host.Scheme == "https",
	}
	if id == "" {
		c.MaxAge = -1
	}
	return c.String()
}

// deskSignInData is what the form to sign in shows.
type deskSignInData struct {
	Name    string
	Refused bool
}

func (p *Pages) showDeskSignIn(v *pageRequest) (*reply, error) {
	return v.render(http.StatusOK, "desk-signin", v.text("desk-signin-title"), deskSignInData{})
}

// postDeskSignIn signs an administrator in, by the rules of every sign-in: the
// same lock, the same limits, and one answer to all that is refused.
func (p *Pages) postDeskSignIn(v *pageRequest) (*reply, error) {
	form, err := v.form()
	if err != nil {
		return nil, err
	}
	old, _, err := p.deskSession(v)
	if err != nil {
		return nil, err
	}
	name, pw := members.CleanIdentifier(form.Get("name")), form.Get("password")
	err = errcodes.BadCredentials(errNoCredentials)
	id := ""
	if name != "" && pw != "" {
		id, _, err = p.Desk.LoginAdmin(v.Context(), name, pw, old)
	}
	if err != nil && errcodes.From(err).HTTPStatus() == http.StatusUnauthorized {
		request.SetError(v.Context(), errcodes.From(err))
		return v.render(http.StatusUnprocessableEntity, "desk-signin", v.text("desk-signin-refused-title"), deskSignInData{Name: name, Refused: true})
	}
	if err != nil {
		return nil, err
	}
	a := redirect(p.desk())
	a.header.Set("Set-Cookie", p.deskSessionCookie(id))
	return a, nil
}

var errNoCredentials = errors.New("name or password is missing")

func (p *Pages) deskSignOut(d *deskRequest) (*reply, error) {
	if err := p.Desk.Logout(d.Context(), d.session); err != nil {
		return nil, err
	}
	a := redirect(p.desk() + "/signin")
	a.header.Set("Set-Cookie", p.deskSessionCookie(""))
	return a, nil
}

// deskData is what every page of the help desk shows.
type deskData struct {
	Desk   string // its path
	Mark   string
	Who    string
	Notice string // what was done
	Fault  string // why something was not done

	Text  string // that was searched for
	Found []members.Member
	More  bool

	Dossier *dossierData
	Queue   *queueData
}

func (d *deskRequest) show(status int, name, title string, data deskData) (*reply, error) {
	data.Desk, data.Mark, data.Who = d.pages.desk(), d.mark(), d.caller.Member.ShownUsername()
	return d.render(status, name, title, data)
}

func (p *Pages) showDesk(d *deskRequest) (*reply, error) {
	return d.show(http.StatusOK, "desk", d.text("desk-title"), deskData{})
}

// searchDesk finds a member. It is a POST, so that no name gets into the address
// and from there into logs.
func (p *Pages) searchDesk(d *deskRequest) (*reply, error) {
	text := members.CleanIdentifier(d.form.Get("member"))
	if text == "" {
		return d.show(http.StatusUnprocessableEntity, "desk", d.text("desk-search-empty"), deskData{Fault: d.text("desk-search-empty")})
	}
	found, more, err := p.Desk.SearchMembers(d.Context(), d.caller, text)
	if err != nil {
		return nil, err
	}
	if len(found) == 1 {
		return redirect(p.desk() + "/members/" + strconv.FormatInt(found[0].ID, 10)), nil
	}
	if len(found) == 0 {
		return d.show(http.StatusOK, "desk", d.text("desk-found-none"), deskData{Text: text, Fault: d.text("desk-found-none")})
	}
	return d.show(http.StatusOK, "desk", d.text("desk-found-title"), deskData{Text: text, Found: found, More: more})
}

// memberID returns the id in the address. Error: 0102 for anything else.
func (d *deskRequest) memberID() (int64, error) {
	id, ok := members.ParseID(mux.Vars(d.Request)["id"])
	if !ok || id == 0 {
		return 0, errcodes.New(errcodes.NoSuchService)
	}
	return id, nil
}

func (p *Pages) showDossier(d *deskRequest) (*reply, error) {
	return p.dossier(d, http.StatusOK, "")
}

// dossier shows a member, with what was refused if anything was.
func (p *Pages) dossier(d *deskRequest, status int, fault string) (*reply, error) {
	id, err := d.memberID()
	if err != nil {
		return nil, err
	}
	found, err := p.Desk.Dossier(d.Context(), d.caller, id)
	if errors.Is(err, errcodes.New(errcodes.MissingMember)) {
		err = errcodes.New(errcodes.NoSuchService)
	}
	if err != nil {
		return nil, err
	}
	data := deskData{Dossier: d.dossierData(found)}
	if fault != "" {
		data.Fault = d.text("desk-refused-" + fault)
	}
	for _, act := range deskActs() {
		if d.query().Get("done") == act.path {
			data.Notice = d.text("desk-done-" + act.path)
		}
	}
	return d.show(status, "desk-member", account(found.Member), data)
}

// deskAct is something that is done to a member.
type deskAct struct {
	path string
	do   func(Desk, context.Context, members.Caller, int64) error
}

func deskActs() []deskAct {
	return []deskAct{
		{"send-link", Desk.SendLink},
		{"unlock", func(s Desk, ctx context.Context, c members.Caller, id int64) error {
			_, err := s.Unlock(ctx, c, strconv.FormatInt(id, 10))
			return err
		}},
		{"lock", Desk.Lock},
	}
}

// actOn does something to a member and shows how it is afterwards.
func (p *Pages) actOn(act deskAct) deskPage {
	return func(d *deskRequest) (*reply, error) {
		id, err := d.memberID()
		if err != nil {
			return nil, err
		}
		err = act.do(p.Desk, d.Context(), d.caller, id)
		if fault := deskFault(err); fault != "" {
			request.SetError(d.Context(), errcodes.From(err))
			return p.dossier(d, http.StatusUnprocessableEntity, fault)
		}
		if err != nil {
			return nil, err
		}
		return redirect(p.desk() + "/members/" + strconv.FormatInt(id, 10) + "?done=" + act.path), nil
	}
}

// deskFault returns what keeps a member from getting a link, "" for any other fault.
func deskFault(err error) string {
	switch {
	case errors.Is(err, errcodes.New(errcodes.NoEmail)):
		return "no-email"
	case errors.Is(err, errcodes.New(errcodes.AccountLocked)):
		return "locked"
	case errors.Is(err, errcodes.New(errcodes.APIAccount)):
		return "api-account"
	default:
		return ""
	}
}

func (p *Pages) showDeskQueue(d *deskRequest) (*reply, error) {
	q, err := p.Desk.DeskQueue(d.Context(), d.caller)
	if err != nil {
		return nil, err
	}
	data := deskData{Queue: d.queueData(q)}
	switch d.query().Get("retried") {
	case "yes":
		data.Notice = d.text("desk-done-retry")
	case "no":
		data.Fault = d.text("desk-refused-retry")
	}
	return d.show(http.StatusOK, "desk-mails", d.text("desk-queue-title"), data)
}

// retryDeskMail puts a mail back into the queue, and shows the queue.
func (p *Pages) retryDeskMail(d *deskRequest) (*reply, error) {
	ok, err := p.Desk.RetryMail(d.Context(), d.caller, mux.Vars(d.Request)["id"])
	if err != nil {
		return nil, err
	}
	answer := url.Values{"retried": {"no"}}
	if ok {
		answer.Set("retried", "yes")
	}
	return redirect(p.desk() + "/mails?" + answer.Encode()), nil
}

// deskTime is a time as the help desk reads it.
type deskTime struct {
	ISO   string
	Shown string
}

func (v *pageRequest) deskTime(t time.Time) *deskTime {
	if t.IsZero() {
		return nil
	}
	zone := v.pages.Zone
	if zone == nil {
		zone = time.UTC
	}
	t = t.In(zone)
	return &deskTime{ISO: t.Format(time.RFC3339), Shown: t.Format("2006-01-02 15:04 MST")}
}

// mailsPart is what the list of mails needs of the page around it.
type mailsPart struct {
	Page       view
	Desk, Mark string
	Mails      []deskMail
	Addresses  bool // say whom each mail is for
}

// Mails returns what the list of mails shows.
func (w view) Mails(list []deskMail, addresses bool) mailsPart {
	d, _ := w.Data.(deskData)
	return mailsPart{Page: w, Desk: d.Desk, Mark: d.Mark, Mails: list, Addresses: addresses}
}

// Desk returns the path of the help desk.
func (w view) Desk() string { return w.page.pages.desk() }
