package faults

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/reseed-project/reseed/password"
)

// offers puts loads on a server.
type offers struct {
	site      *site
	server    *replica
	processor string // of the generators
	kinds     []requestKind

	sent            []int // of each kind
	highest         sample
	before          int // mails ordered before
	asked, accepted int // requests for a mail
}

// newOffers learns what to ask for. From then on mails are counted alone.
func newOffers(r *replica, processor string) *offers {
	s := r.site
	o := &offers{site: s, server: r, processor: processor, kinds: s.kinds(), before: s.ordered()}
	o.sent = make([]int, len(o.kinds))
	s.box.sink.Store(true)
	return o
}

// lines is how many connections an open loop has: more than requests that the
// server answers at once, so that there are always some for those it refuses.
const lines = 2000

// mix are requirements 4.4's 70 % requests, 20 % links (half of them the page
// behind the link), 10 % resets, by their place among the kinds.
var mix = []int{0, 0, 1, 0, 0, 3, 0, 2, 0, 0}

// kinds returns the requests of the mix. All links are good ones; a reset
// changes the password of a member, each that of another one.
func (s *site) kinds() []requestKind {
	request := requestKind{Name: "request", Status: 200, Marker: "request-successful", Refusal: `id="F004"`}
	reset := requestKind{Name: "reset", Status: 200, Marker: "password-changed", Spent: `id="102A"`, Refusal: `id="F004"`}
	link := requestKind{Name: "link", Status: 303, Marker: "\r\nLocation: /ps/email/changepassword\r\n", Refusal: "<html"}
	page := requestKind{Name: "page", Status: 200, Marker: "member-password-again", Refusal: "<html"}
	for i := range s.members {
		request.Requests = append(request.Requests, wireForm(url.Values{"email": {address(i)}}))
	}
	const open = "GET /ps/email/changepassword%s HTTP/1.1\r\nHost: x\r\n%s\r\n"
	links := s.goodLinks(20)
	for _, l := range links {
		link.Requests = append(link.Requests, fmt.Appendf(nil, open, fmt.Sprintf("?member=%d&token=%s", l.member, l.token), ""))
		page.Requests = append(page.Requests, fmt.Appendf(nil, open, "", fmt.Sprintf("Cookie: reseed_link=%d.%s\r\n", l.member, l.token)))
	}
	for i, token := range s.mintTokens(s.members-len(links), links[0].order) {
		reset.Requests = append(reset.Requests, wireForm(url.Values{
			"email": {address(i)}, "token": {token}, "member-password": {newPassword(token)},
		}))
	}
	return []requestKind{request, link, page, reset}
}

// wireForm returns a request of the reset service as it goes over the wire.
func wireForm(values url.Values) []byte {
	text := values.Encode()
	return fmt.Appendf(nil, "POST /ps/service/members/resetpassword HTTP/1.1\r\nHost: x\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
}

// mailedLink is what the link in a mail says.
type mailedLink struct {
	member int
	token  string
	order  []byte // the id of the mail's order
}

// goodLinks asks for mails to the last of the members, and returns the links in them.
func (s *site) goodLinks(n int) []mailedLink {
	s.t.Helper()
	client := newClient(time.Minute)
	for i := range n {
		if status, _, err := ask(client, s.servers[0].url, address(s.members-1-i)); status != 200 {
			s.t.Fatalf("ask for a link: %d %v", status, err)
		}
	}
	var links []mailedLink
	for range n {
		d := <-s.box.tokens
		l := mailedLink{token: d.token}
		var err error
		if l.order, err = hex.DecodeString(d.order); err != nil {
			s.t.Fatal(err)
		}
		if err := s.db.QueryRow("SELECT id FROM members WHERE email = ?", d.to).Scan(&l.member); err != nil {
			s.t.Fatal(err)
		}
		links = append(links, l)
	}
	return links
}

// mintToken copies an order, for another member and with another token.
const mintToken = `INSERT INTO mails (id, template, reason, purpose, member_id, addressed, group_id, token_hash,
	created_at, expires_at, options, state, due_at)
SELECT ?, o.template, 'admin', o.purpose, ?, 1, 0, ?, o.created_at, o.expires_at, o.options, 'sent', o.due_at
FROM mails AS o WHERE o.id = ?`

// mintTokens gives each of the first n members a token, as if a mail with it
// had been sent; to have so many mailed would take too long.
func (s *site) mintTokens(n int, like []byte) []string {
	s.t.Helper()
	var first int // their ids are in order
	if err := s.db.QueryRow("SELECT id FROM members WHERE email = ?", address(0)).Scan(&first); err != nil {
		s.t.Fatal(err)
	}
	tx, err := s.db.Begin()
	if err != nil {
		s.t.Fatal(err)
	}
	defer tx.Rollback()
	insert, err := tx.Prepare(mintToken)
	if err != nil {
		s.t.Fatal(err)
	}
	defer insert.Close()
	var tokens []string
	for i := range n {
		token := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "token-of-member-%08d", i))
		id := fmt.Appendf(nil, "minted--%08d", i)
		hash := password.HashToken(token)
		if _, err := insert.Exec(id, first+i, hash[:], like); err != nil {
			s.t.Fatal(err)
		}
		tokens = append(tokens, token)
	}
	if err := tx.Commit(); err != nil {
		s.t.Fatal(err)
	}
	return tokens
}

// closed has clients send one request after the other, so few that hardly one
// is refused, and returns how many are accepted a second.
func (o *offers) closed(d time.Duration) float64 {
	o.site.t.Helper()
	return o.run(loadPlan{Connections: 8, Stages: []loadStage{{For: d}}})[0].goodput()
}

// open offers stages of constant arrival, one right after the other.
func (o *offers) open(stages ...loadStage) []stageFigures {
	o.site.t.Helper()
	return o.run(loadPlan{Connections: lines, Stages: stages})
}

// peak returns how much of the whole mix is done a second. Beyond, what is
// costly is refused first, and more of the rest gets done: that is no measure.
func (o *offers) peak(step time.Duration) float64 {
	o.site.t.Helper()
	peak := max(o.closed(step), 1)
	if soak {
		o.open(loadStage{int(peak / 2), step}, loadStage{int(peak), step}, loadStage{int(2 * peak), step})
	}
	return peak
}

func (o *offers) run(p loadPlan) []stageFigures {
	t := o.site.t
	t.Helper()
	p.Addr, p.Kinds, p.Mix, p.Sent = o.server.addr, o.kinds, mix, o.sent
	before := o.server.processorTime()
	generator, out := startGenerator(t, o.processor, p)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	highest := sample{}
	for !generator.gone() {
		select {
		case <-generator.ended:
		case <-tick.C:
			highest = highest.highest(o.server.sample())
		}
	}
	var figures []stageFigures
	if err := json.Unmarshal(out.Bytes(), &figures); err != nil {
		t.Fatalf("the load generator ended with %d and no figures: %v", generator.exitCode(), err)
	}
	for _, f := range figures {
		t.Log(f)
		o.accepted += f.Statuses["request"][200]
		o.asked += f.Asked["request"]
		for i, k := range o.kinds {
			o.sent[i] += f.Asked[k.Name]
		}
		o.check(f)
	}
	state := generator.cmd.ProcessState
	t.Logf("meanwhile at most %s; processor time %v, the generator's %v", highest,
		o.server.processorTime()-before, (state.UserTime() + state.SystemTime()).Round(10*time.Millisecond))
	o.highest = o.highest.highest(highest)
	return figures
}

// check holds every answer against what may be answered.
func (o *offers) check(f stageFigures) {
	o.site.t.Helper()
	if f.Faulty > 0 {
		o.site.t.Errorf("%d of %d answers are neither what was asked for nor 503 with Retry-After, for example\n%s",
			f.Faulty, f.Offered, strings.Join(f.Faults, "\n"))
	}
}

// startGenerator starts a generator. Its figures are there when it has ended.
func startGenerator(t testing.TB, processor string, p loadPlan) (*child, *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	told, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var figures bytes.Buffer
	line := append(onProcessor(processor), self)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = append(os.Environ(), generatorEnv+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(told), &figures, os.Stderr
	return startChild(t, cmd), &figures
}
