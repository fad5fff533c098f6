package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Table is what was measured on one database.
type Table struct {
	Database  string   `json:"database"`
	Variant   string   `json:"variant,omitempty"`
	Names     []string `json:"subjects"`
	Rounds    map[string][]Round
	IdleMiB   float64 `json:"idleMiB,omitempty"`   // by which idle clients made the server grow
	Delivered float64 `json:"delivered,omitempty"` // mails a second, with no requests
}

// Round is one round of a subject.
type Round struct {
	Rate   float64 `json:"rate"` // a second
	P99    float64 `json:"p99"`  // milliseconds
	Failed int64   `json:"failed"`
	Mails  float64 `json:"mails"` // delivered a second meanwhile
	CPU    CPU     `json:"cpu"`
}

// CPU is what one request takes, in microseconds.
type CPU struct {
	Load     float64 `json:"load"`
	Server   float64 `json:"server"`
	Database float64 `json:"database"`
}

func (t *Table) add(name string, r Round) {
	if t.Rounds == nil {
		t.Rounds = map[string][]Round{}
	}
	if _, ok := t.Rounds[name]; !ok {
		t.Names = append(t.Names, name)
	}
	t.Rounds[name] = append(t.Rounds[name], r)
}

// spread returns the median, the least and the largest of a figure.
func (t *Table) spread(name string, figure func(Round) float64) (median, least, most float64) {
	var all []float64
	for _, r := range t.Rounds[name] {
		all = append(all, figure(r))
	}
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2, all[0], all[len(all)-1]
}

func (r Report) print(w io.Writer) {
	fmt.Fprintf(w, "%s, %d CPUs, %d clients, %d members, %d rounds of %.0f s each; medians, least to largest in brackets\n", r.Go, r.CPUs, r.Clients, r.Members, r.Rounds, r.Seconds)
	fmt.Fprintf(w, "binary %.1f MB; version %s, start to first answer %s; resident %.1f MiB at rest, %.1f loaded\n\n", r.Program.BinaryMB,
		r.Program.Version.Round(time.Millisecond/10), r.Program.Start.Round(time.Millisecond/10), r.Program.RestMiB, float64(r.Program.RSS)/1024)
	fmt.Fprintln(w, "| database | subject | a second | of bare | p99 ms | CPU µs: server | database | load | mails a second | failed |")
	fmt.Fprintln(w, "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
	for _, t := range r.Tables {
		bare := t.median("bare", Round.rate)
		for _, name := range t.Names {
			rate, least, most := t.spread(name, func(r Round) float64 { return r.Rate })
			server, _, _ := t.spread(name, func(r Round) float64 { return r.CPU.Server })
			database, _, _ := t.spread(name, func(r Round) float64 { return r.CPU.Database })
			load, _, _ := t.spread(name, func(r Round) float64 { return r.CPU.Load })
			mails, _, _ := t.spread(name, func(r Round) float64 { return r.Mails })
			failed, _, _ := t.spread(name, func(r Round) float64 { return float64(r.Failed) })
			fmt.Fprintf(w, "| %s | %s | %.0f (%.0f-%.0f) | %.2f | %.1f | %.0f | %.0f | %.0f | %.0f | %.0f |\n",
				t.Database+t.Variant, name, rate, least, most, rate/bare, t.median(name, Round.p99), server, database, load, mails, failed)
		}
	}
	printGoals(w, r.Goals)
}

func (r Round) rate() float64 { return r.Rate }

func (r Round) cpu() float64 { return r.CPU.Server + r.CPU.Database }

// median returns the median of a figure; 0 if the subject was not measured.
func (t *Table) median(name string, figure func(Round) float64) float64 {
	if len(t.Rounds[name]) == 0 {
		return 0
	}
	m, _, _ := t.spread(name, figure)
	return m
}

// Goal is a figure beside what it should be.
type Goal struct {
	What   string  `json:"what"`
	Want   string  `json:"want"`
	Figure float64 `json:"figure"`
	Met    bool    `json:"met"`
}

// goals holds what was measured against what was set out for.
func (r Report) goals() []Goal {
	all := []Goal{
		atMost("binary, MB", r.Program.BinaryMB, 25), atMost("memory at rest, MiB", r.Program.RestMiB, 30),
		atMost("start to first answer, of `reseed version`", float64(r.Program.Start)/float64(r.Program.Version), 2),
	}
	plain := map[string]*Table{}
	for _, t := range r.Tables {
		if t.Variant == "" {
			plain[t.Database] = t
		}
		all = append(all, t.goals(plain[t.Database])...)
	}
	return all
}

// goals returns those of a table; plain is the plain one of its database.
func (t *Table) goals(plain *Table) (all []Goal) {
	in := t.Database + t.Variant + ": "
	if member := t.median("member", Round.rate); member > 0 {
		cpu := t.median("member", Round.cpu)
		if t.Variant == secondStep {
			return append(all, atLeast(in+"rate, of the bare hash loop's", member/t.median("bare", Round.rate), 0.9),
				atMost(in+"CPU beyond the hash, ms a request", (cpu-t.median("bare", func(r Round) float64 { return r.CPU.Load }))/1000, 1))
		}
		if t.Variant == strangers {
			return append(all, within(in+"a stranger's CPU, of a member's", t.median("unknown", Round.cpu)/cpu, 0.02))
		}
		if t.Database == "mariadb" && t.Variant == "" {
			all = append(all, atLeast(in+"rate, of the bare loop's", member/t.median("bare", Round.rate), 0.5),
				atMost(in+"CPU of server and database, ms a request", cpu/1000, 0.4))
		}
		if t.Variant != "" {
			all = append(all, atLeast(in+"rate, of the plain run's", member/plain.median("member", Round.rate), 0.9),
				atLeast(in+"mails a second, of the plain run's", t.median("member", Round.mails)/plain.median("member", Round.mails), 0.9),
				atMost(in+"p99, of the plain run's", t.median("member", Round.p99)/plain.median("member", Round.p99), 1/0.9))
		}
	}
	if t.IdleMiB > 0 {
		all = append(all, atMost(in+"idle clients' memory, MiB", t.IdleMiB, 30))
	}
	if t.Delivered > 0 {
		all = append(all, atLeast(in+"mails a second", t.Delivered, 1500))
	}
	return all
}

func (r Round) p99() float64 { return r.P99 }

func (r Round) mails() float64 { return r.Mails }

func atMost(what string, figure, most float64) Goal {
	return Goal{what, fmt.Sprintf("at most %.3g", most), figure, figure <= most}
}

func atLeast(what string, figure, least float64) Goal {
	return Goal{what, fmt.Sprintf("at least %g", least), figure, figure >= least}
}

func within(what string, ratio, off float64) Goal {
	return Goal{what, fmt.Sprintf("1 ± %g", off), ratio, math.Abs(ratio-1) <= off}
}

func printGoals(w io.Writer, goals []Goal) {
	fmt.Fprintln(w, "\n| what | goal | figure | met |\n| --- | --- | --- | --- |")
	for _, g := range goals {
		fmt.Fprintf(w, "| %s | %s | %.3g | %v |\n", g.What, g.Want, g.Figure, map[bool]string{true: "yes", false: "no"}[g.Met])
	}
}

// usage is CPU time that processes have used.
type usage struct{ load, server, database time.Duration }

func use(load, server, database int) usage {
	return usage{cpuOf(load), cpuOf(server), cpuOf(database)}
}

func (u usage) since(before usage, requests int64) CPU {
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(requests) }
	return CPU{Load: each(u.load - before.load), Server: each(u.server - before.server), Database: each(u.database - before.database)}
}

// tick is the unit of /proc's CPU times, the same on every Linux.
const tick = 10 * time.Millisecond

// cpuOf returns the CPU time of a process, 0 for the process 0 and where there is no /proc.
func cpuOf(pid int) time.Duration {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * tick
}

// residentKiB returns the resident memory of a process.
func residentKiB(pid int) int64 {
	b, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	for line := range strings.Lines(string(b)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, _ := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return n
		}
	}
	return 0
}
