package faults

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// withMetrics has the server show them, and returns where.
func (r *replica) withMetrics() string {
	admin := freeAddr(r.site.t)
	r.env = append(r.env, "RESEED_ADMIN_LISTEN="+admin)
	return "http://" + admin + "/metrics"
}

// get returns a page; "" if it can't be had.
func get(page string) string {
	resp, err := http.Get(page)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return ""
	}
	return string(text)
}

// metric reads a value; -1 if there is none.
func metric(t testing.TB, from, name string) float64 {
	t.Helper()
	for line := range strings.Lines(get(from)) {
		if value, found := strings.CutPrefix(strings.TrimSpace(line), name+" "); found {
			f, err := strconv.ParseFloat(value, 64)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
	}
	return -1
}

// TestLogIsFull has nowhere to log to: the disk is full, or nobody reads any
// more. The service goes on, counts what is lost and stops in order (FLT-10).
func TestLogIsFull(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) *os.File{
		"full disk": func(t *testing.T) *os.File {
			full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			return full
		},
		"no reader": func(t *testing.T) *os.File {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			r.Close()
			return w
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := onSQLite(t)
			r := s.add()
			r.out = open(t)
			defer r.out.Close()
			metrics := r.withMetrics()
			s.populate(20)
			r.startReady()
			client := newClient(time.Minute)
			for i := range 20 {
				if status, _, err := ask(client, r.url, address(i)); err != nil || status != http.StatusOK {
					t.Errorf("%s: status %d %v", address(i), status, err)
				}
			}
			s.drain(time.Minute)
			// A line for each request and each mail.
			if lost := metric(t, metrics, "reseed_log_lines_lost_total"); lost < 40 {
				t.Errorf("%v lines are counted as lost", lost)
			}
			if code := r.terminate(time.Minute); code != 0 {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

// TestDescriptorsRunOut gives the server 64 files and opens more connections
// than that. It accepts no more meanwhile, and serves again when they are gone
// (FLT-13).
func TestDescriptorsRunOut(t *testing.T) {
	s := onSQLite(t)
	r := s.add()
	r.via = []string{"sh", "-c", `ulimit -n 64 && exec "$@"`, "sh"}
	s.populate(5)
	r.startReady()
	var held []net.Conn
	for range 200 {
		c, err := net.DialTimeout("tcp", r.addr, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, c)
	}
	eventually(t, time.Minute, "the server has all the files it may have", func() bool {
		files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", r.process().cmd.Process.Pid))
		return err == nil && len(files) >= 64
	})
	pause(t, 200*time.Millisecond) // some tries to accept
	for _, c := range held {
		c.Close()
	}
	client := newClient(time.Minute)
	took := eventually(t, time.Minute, "it serves again", func() bool {
		status, _, err := ask(client, r.url, address(1))
		return err == nil && status == http.StatusOK
	})
	s.drain(time.Minute)
	t.Logf("serves %v after the connections went", took.Round(time.Millisecond))
	if code := r.terminate(time.Minute); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestNothingGrows loads a server again and again: when it has come to rest,
// it has no more goroutines and files than after the first time (LOD-4).
func TestNothingGrows(t *testing.T) {
	s := onSQLite(t)
	r := s.add("RESEED_FAILPOINT_HASHING=cheap")
	metrics := r.withMetrics()
	rounds := knob(t, "GROWTH_ROUNDS", 3, 60)
	const members = 300
	s.populate(members)
	r.startReady()
	var most struct{ goroutines, files float64 }
	for round := range rounds + 1 {
		l := s.startLoad(members, 8)
		eventually(t, 5*time.Minute, "all members asked", func() bool { return l.next.Load() >= members })
		l.stop()
		l.client.CloseIdleConnections()
		s.drain(3 * time.Minute)
		if round == 0 {
			most.goroutines = metric(t, metrics, "go_goroutines") + 20
			most.files = metric(t, metrics, "process_open_fds") + 20
			continue
		}
		eventually(t, 3*time.Minute, "it has come to rest", func() bool {
			goroutines, files := metric(t, metrics, "go_goroutines"), metric(t, metrics, "process_open_fds")
			return goroutines >= 0 && goroutines <= most.goroutines && files >= 0 && files <= most.files
		})
	}
	t.Logf("%d rounds, at most %v goroutines and %v files; heap %.0f MiB", rounds, most.goroutines, most.files,
		metric(t, metrics, "go_memstats_heap_inuse_bytes")/(1<<20))
}
