package contract

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/reseed-project/reseed/inbox"
)

const twoCases = `A version in XML.
--- request
GET /version
--- response
200
Content-Type: application/xml
X-None:

<version major="6"
  build="2007" />
`

// fixed is a target that needs no preparation.
type fixed struct{ url string }

func (f fixed) URL() string                                { return f.url }
func (fixed) Prepare(context.Context, *Case) error         { return nil }
func (fixed) Mails(context.Context) ([]*inbox.Mail, error) { return nil, nil }
func (fixed) Advance(context.Context, time.Duration) error { return nil }
func (fixed) Do(context.Context, []string) (Client, error) { return Client{}, nil }

func parse(t *testing.T, text string) *Case {
	t.Helper()
	c, err := ParseCase("set/case", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func answering(t *testing.T, body string) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		fmt.Fprint(w, body)
	}))
	t.Cleanup(srv.Close)
	return srv
}

func play(t *testing.T, url string, change func(*Player)) Result {
	t.Helper()
	p := &Player{Target: fixed{url}, Transport: http.DefaultTransport, Timeout: 500 * time.Millisecond}
	if change != nil {
		change(p)
	}
	results := p.Run(t.Context(), []*Case{parse(t, twoCases)}, time.Now, func(Result) {})
	return results[0]
}

func TestCaseIsKeptByteForByte(t *testing.T) {
	if got := string(parse(t, twoCases).Bytes()); got != twoCases {
		t.Errorf("got %q, want %q", got, twoCases)
	}
}

func TestFaultyCasesAreRefused(t *testing.T) {
	for _, text := range []string{"", "A title alone.\n", "\n--- request\nGET /\n", "A title.\n--- reqest\nGET /\n"} {
		if c, err := ParseCase("x", []byte(text)); err == nil {
			t.Errorf("%q is taken for %v", text, c)
		}
	}
	if _, err := ReadCases(fstest.MapFS{"states/basic.toml": {}}); err == nil {
		t.Error("a folder without cases is no fault")
	}
}

func TestSameAnswerPasses(t *testing.T) {
	r := play(t, answering(t, "<version major=\"6\"\n  build=\"2007\" />").URL, nil)
	if r.Outcome() != Passed {
		t.Errorf("%v: %v %v", r.Outcome(), r.Err, r.Differences)
	}
}

func TestOneOtherByteFails(t *testing.T) {
	r := play(t, answering(t, "<version major=\"6\"\n  build=\"2008\" />").URL, nil)
	if r.Outcome() != Failed {
		t.Fatalf("%v, error %v", r.Outcome(), r.Err)
	}
	var text strings.Builder
	r.WriteText(&text)
	for _, want := range []string{"FAILED   set/case", "> GET /version", `-  build="2007" />`, `+  build="2008" />`} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, text.String())
		}
	}
}

func TestMissingHeaderFails(t *testing.T) {
	r := play(t, answering(t, "<version major=\"6\"\n  build=\"2007\" />").URL, func(p *Player) {
		p.Always = []Header{{"Cache-Control", "no-store"}}
	})
	if r.Outcome() != Failed {
		t.Errorf("%v, error %v", r.Outcome(), r.Err)
	}
}

func TestLooseComparesContent(t *testing.T) {
	loose := func(p *Player) { p.Loose = true }
	for body, want := range map[string]Outcome{
		`<version build="2007" major="6"></version>`: Passed,
		`<version build="2007" major="5"></version>`: Failed,
		`<version build="2007"></version>`:           Failed,
		`not XML`:                                    Failed,
	} {
		if r := play(t, answering(t, body).URL, loose); r.Outcome() != want {
			t.Errorf("%s: %v, want %v", body, r.Outcome(), want)
		}
	}
	if !equalJSON(`{"a":1,"b":[true]}`, `{ "b": [true], "a": 1 }`) || equalJSON(`{"a":1}`, `{"a":"1"}`) {
		t.Error("JSON is not compared by content")
	}
}

func TestNoAnswerIsAnError(t *testing.T) {
	closing, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closing.Close() })
	go func() {
		for {
			c, err := closing.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	late := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-late }))
	t.Cleanup(slow.Close)
	t.Cleanup(func() { close(late) })
	short := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "<version ")
	}))
	t.Cleanup(short.Close)
	refusing := httptest.NewServer(nil)
	refusing.Close()
	for name, url := range map[string]string{
		"closes": "http://" + closing.Addr().String(), "late": slow.URL, "breaks off": short.URL, "refuses": refusing.URL,
	} {
		if r := play(t, url, nil); r.Outcome() != Errored {
			t.Errorf("%s: %v, error %v", name, r.Outcome(), r.Err)
		}
	}
}

func TestPlainServerRunsWhatNeedsNoPreparation(t *testing.T) {
	wanted := map[string]bool{
		"GET /ps/api/version": true,
		"POST /members/resetpassword\n\nemail=ann@example.org&member-password=x&token={{token}}": false,
		"POST /members/forceresetpassword\n\nemail=ann@example.org&member-password=x":            false,
		"PATCH /members/2\n\nfirstname=Anna":                                                     false,
	}
	accounts, err := ParseAccounts([]byte("replace:\n  ann@example.org: ann@acme.example\n"))
	if err != nil {
		t.Fatal(err)
	}
	for request, runs := range wanted {
		c := parse(t, "A title.\n--- request\n"+request+"\n--- response\n200\n")
		err := (&Plain{Accounts: accounts}).Prepare(t.Context(), c)
		if (err == nil) != runs {
			t.Errorf("%s: error %v", request, err)
		}
	}
	c := parse(t, "A title.\n--- request\nGET /members/ann@example.org\n--- response\n200\n")
	if err := (&Plain{Accounts: accounts}).Prepare(t.Context(), c); err != nil || !strings.Contains(c.Sections[0].Text, "ann@acme.example") {
		t.Errorf("%v: %s", err, c.Sections[0].Text)
	}
	if err := (&Plain{}).Prepare(t.Context(), c); err == nil {
		t.Error("a case about accounts runs where none are known")
	}
	if _, err := ParseAccounts([]byte("accounts: 1\n")); err == nil {
		t.Error("an unknown name is no fault")
	}
}

func TestReportsCountWhatWasNotPlayed(t *testing.T) {
	c := parse(t, twoCases)
	results := []Result{
		{Case: c},
		{Case: c, Differences: []Difference{{Request: "GET /", What: "response", Want: "200", Got: "404\x00"}}},
		{Case: c, Err: context.DeadlineExceeded},
		{Case: c, Err: &CannotRun{"no clock"}},
	}
	if got, want := Summary(results), "1 passed, 1 failed, 1 without an answer, 1 not run"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	var b strings.Builder
	if err := WriteJUnit(&b, results); err != nil {
		t.Fatal(err)
	}
	var suite junitSuite
	if err := xml.Unmarshal([]byte(b.String()), &suite); err != nil {
		t.Fatal(err)
	}
	if suite.Tests != 4 || suite.Failures != 1 || suite.Errors != 1 || suite.Skipped != 1 || suite.Cases[1].Failure == nil {
		t.Errorf("JUnit: %+v", suite)
	}
	b.Reset()
	if err := WriteJSON(&b, results); err != nil || !json.Valid([]byte(b.String())) || !strings.Contains(b.String(), `"no clock"`) {
		t.Errorf("JSON: %v\n%s", err, b.String())
	}
}

func TestSelect(t *testing.T) {
	cases, err := ReadCases(os.DirFS("../testdata/contract"))
	if err != nil {
		t.Fatal(err)
	}
	all, wix := Select(cases, SetAll, ""), Select(cases, SetWix, "")
	if len(all) != len(cases) || len(wix) == 0 || len(wix)+len(Select(cases, SetPageSeeder, "")) != len(all) {
		t.Errorf("%d cases: %d in all, %d of Wix", len(cases), len(all), len(wix))
	}
	for pattern, want := range map[string]int{"version/*": 1, "version": 1, "nothing/*": 0} {
		if got := len(Select(cases, SetAll, pattern)); min(got, 1) != want {
			t.Errorf("%s: %d cases", pattern, got)
		}
	}
}

func TestStatesAreSeeds(t *testing.T) {
	cases := os.DirFS("../testdata/contract")
	all, err := ReadCases(cases)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		doc, err := Document(cases, c)
		if err != nil {
			t.Fatal(err)
		}
		if err := doc.Validate(); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
}
