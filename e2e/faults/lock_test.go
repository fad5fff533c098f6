package faults

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// lockedTimeout is the server's request-timeout in TestWriteLockHeldElsewhere,
// and lockedSlack what a busy machine may add to an answer.
const (
	lockedTimeout = 2 * time.Second
	lockedSlack   = time.Second
)

// TestWriteLockHeldElsewhere holds SQLite's write lock in another process, as
// a backup program or an import may. Every request is answered within the time
// that request-timeout gives it: those that only read as ever, those that write
// with 503. Readiness says why, a dozen seconds later at most, until the lock is
// gone (FLT-3). The long form holds it for a minute, with the default limit.
func TestWriteLockHeldElsewhere(t *testing.T) {
	if !soak {
		t.Parallel() // most of it is waiting
	}
	s := onSQLite(t)
	timeout := lockedTimeout
	if soak {
		timeout = 10 * time.Second
	}
	r := s.add("RESEED_REQUEST_TIMEOUT=" + timeout.String())
	r.withAdmin()
	s.populate(20)
	r.startReady()
	ready := "http://" + r.admin + "/readyz"
	lock, err := s.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if _, err := lock.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	held := time.Duration(knob(t, "LOCK_SECONDS", 14, 60)) * time.Second
	answers := r.askAllKinds(held)
	if text := get(ready); !strings.Contains(text, "takes no writes") {
		t.Errorf("ready while the lock is held: %s", text)
	}
	if _, err := lock.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	client := newClient(patience)
	took := eventually(t, 20*time.Second, "requests are served and readiness says so", func() bool {
		status, _, err := ask(client, r.url, address(1))
		return err == nil && status == http.StatusOK && !strings.Contains(get(ready), "takes no writes")
	})
	for name, a := range answers {
		t.Logf("%s: %d answers, the longest after %v, by status %v", name, a.n, a.longest.Round(time.Millisecond), a.by)
		if a.n == 0 || a.longest > timeout+lockedSlack || a.by[a.want] != a.n {
			t.Errorf("%s: want %d after at most %v", name, a.want, timeout)
		}
	}
	t.Logf("lock held for %v, request-timeout %v, ready %v after its end", held, timeout, took.Round(time.Millisecond))
}

// lockedAnswers are what one kind of request got.
type lockedAnswers struct {
	want    int // the status
	n       int
	longest time.Duration
	by      map[int]int // status, and how many had it
}

// askAllKinds sends requests of each kind, one after another, for so long.
func (r *replica) askAllKinds(d time.Duration) map[string]*lockedAnswers {
	page := strings.TrimSuffix(r.url, "/service") + "/email"
	kinds := map[string]struct {
		want int
		send func(*http.Client) (*http.Response, error)
	}{
		"order": {503, func(c *http.Client) (*http.Response, error) {
			return c.PostForm(r.url+"/members/resetpassword", url.Values{"email": {address(2)}})
		}},
		"order of an unknown member": {503, func(c *http.Client) (*http.Response, error) {
			return c.PostForm(r.url+"/members/resetpassword", url.Values{"email": {"nobody@example.org"}})
		}},
		"form": {503, func(c *http.Client) (*http.Response, error) {
			return c.PostForm(page+"/resetpassword", url.Values{"identifier": {address(3)}})
		}},
		"page": {200, func(c *http.Client) (*http.Response, error) { return c.Get(page + "/resetpassword") }},
		"bad link": {404, func(c *http.Client) (*http.Response, error) {
			return c.PostForm(page+"/changepassword", url.Values{"address": {page + "/changepassword?member=1&token=" + strings.Repeat("a", 32)}})
		}},
	}
	all := map[string]*lockedAnswers{}
	var group sync.WaitGroup
	end := time.Now().Add(d)
	for name, kind := range kinds {
		a := &lockedAnswers{want: kind.want, by: map[int]int{}}
		all[name] = a
		group.Go(func() {
			client := newClient(patience)
			for time.Now().Before(end) {
				began := time.Now()
				resp, err := kind.send(client)
				a.n++
				a.longest = max(a.longest, time.Since(began))
				if err != nil {
					a.by[0]++
					continue
				}
				resp.Body.Close()
				a.by[resp.StatusCode]++
				pause(r.site.t, 20*time.Millisecond)
			}
		})
	}
	group.Wait()
	return all
}

// TestImportBesideARunningServer imports members while the server answers: a
// batch holds the write lock for a moment, and no request waits long for it.
func TestImportBesideARunningServer(t *testing.T) {
	s := onSQLite(t)
	r := s.add()
	s.populate(20)
	r.startReady()
	n := knob(t, "IMPORT_MEMBERS", 100000, 200000)
	var csv bytes.Buffer
	csv.WriteString("username,email,firstname,surname\n")
	for i := range n {
		fmt.Fprintf(&csv, "x%d,x%d@example.org,Im,Ported\n", i, i)
	}
	file := s.dir + "/members.csv"
	if err := os.WriteFile(file, csv.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	imported := make(chan error, 1)
	began := time.Now()
	go func() {
		out, err := r.command("member", "import", file).CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, out)
		}
		imported <- err
	}()
	client := newClient(patience)
	var longest time.Duration
	for asked := 0; ; asked++ {
		at := time.Now()
		if status, _, err := ask(client, r.url, address(asked%20)); err != nil || status != http.StatusOK {
			t.Errorf("request %d: %d %v", asked, status, err)
		}
		longest = max(longest, time.Since(at))
		select {
		case err := <-imported:
			if err != nil {
				t.Error(err)
			}
			t.Logf("%d members imported in %v; %d requests meanwhile, the longest took %v",
				n, time.Since(began).Round(time.Millisecond), asked+1, longest.Round(time.Millisecond))
			if asked < 5 {
				t.Errorf("only %d requests beside the import", asked+1)
			}
			if longest > time.Since(began)/2 {
				t.Errorf("a request took %v beside an import of %v: it waited for more than a batch", longest, time.Since(began))
			}
			return
		default:
		}
	}
}
