package faults

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// sample is what a server takes at a moment.
type sample struct {
	memory      int // MiB, resident
	goroutines  int
	descriptors int
	connections int // to the database, those of its pool
}

// String says it in words.
func (s sample) String() string {
	return fmt.Sprintf("%d MiB resident, %d goroutines, %d descriptors, %d database connections",
		s.memory, s.goroutines, s.descriptors, s.connections)
}

// highest returns the higher value of each.
func (s sample) highest(o sample) sample {
	return sample{
		max(s.memory, o.memory), max(s.goroutines, o.goroutines),
		max(s.descriptors, o.descriptors), max(s.connections, o.connections),
	}
}

// sample asks the system, and the server on its administrators' port.
func (r *replica) sample() sample {
	r.site.t.Helper()
	resp, err := (&http.Client{Timeout: time.Minute}).Get("http://" + r.admin + "/metrics")
	if err != nil {
		r.site.t.Fatalf("metrics: %v", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.site.t.Fatalf("metrics: %v", err)
	}
	s := sample{memory: r.memory(), descriptors: r.descriptors()}
	for line := range strings.Lines(string(text)) {
		switch name, value := readMetric(line); name {
		case "go_goroutines":
			s.goroutines = value
		case `reseed_database_connections{state="in use"}`, `reseed_database_connections{state="idle"}`:
			s.connections += value
		}
	}
	return s
}

// readMetric reads a line of Prometheus's text format.
func readMetric(line string) (name string, value int) {
	end := strings.LastIndexByte(line, ' ')
	f, err := strconv.ParseFloat(strings.TrimSpace(line[end+1:]), 64)
	if end < 0 || err != nil {
		return "", 0
	}
	return line[:end], int(f)
}

// about returns a file or folder of /proc about the server.
func (r *replica) about(what string) string {
	return fmt.Sprintf("/proc/%d/%s", r.process().cmd.Process.Pid, what)
}

// memory returns the server's resident memory in MiB, 0 if that can't be known.
func (r *replica) memory() int {
	status, _ := os.ReadFile(r.about("status"))
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, _ := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			return kib >> 10
		}
	}
	return 0
}

// descriptors counts the server's open files and connections.
func (r *replica) descriptors() int {
	files, _ := os.ReadDir(r.about("fd"))
	return len(files)
}

// processorTime is what the server has used so far.
func (r *replica) processorTime() time.Duration {
	text, _ := os.ReadFile(r.about("stat"))
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond // the unit is USER_HZ, 100 everywhere
}
