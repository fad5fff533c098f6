// Command bench measures Reseed beside what it stands on: rounds of the bare
// statements of a reset request alternate with rounds of real requests, on a
// private MariaDB and on SQLite, with mails delivered to a local sink meanwhile.
// Only the ratios of one run mean something on another machine.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"time"
)

// options are the command's flags.
type options struct {
	clients int
	members int
	rounds  int
	length  time.Duration
	only    string
	peer    string
	body    string
	json    bool
	waiting int
	old     int
	idle    int
	deliver int
	many    int
	quiet   bool // strangers: nothing is delivered
	second  bool
	tokens  int // that were mailed; of the second step alone
}

func main() {
	var o options
	flag.IntVar(&o.clients, "clients", 16, "clients, each with one connection and one request at a time")
	flag.IntVar(&o.members, "members", 1000, "members in each database")
	flag.IntVar(&o.rounds, "rounds", 6, "rounds of each subject")
	flag.DurationVar(&o.length, "length", 10*time.Second, "length of a round")
	flag.StringVar(&o.only, "only", "", "sqlite or mariadb; both if empty")
	flag.StringVar(&o.peer, "peer", "", "URL of another server's request for a reset, measured in the same rounds")
	flag.StringVar(&o.body, "peer-body", "email=user1@example.org", "form that is posted to the peer")
	flag.BoolVar(&o.json, "json", false, "print JSON")
	flag.IntVar(&o.waiting, "waiting", 0, "orders that wait to be mailed, in a second run of the rounds beside one without")
	flag.IntVar(&o.old, "old", 0, "orders that were mailed before, in the same second run")
	flag.IntVar(&o.idle, "idle", 0, "idle clients whose memory is measured")
	flag.IntVar(&o.deliver, "deliver", 0, "waiting mails whose delivery is timed, with no requests meanwhile")
	flag.IntVar(&o.many, "many", 0, "members of a second run of the rounds beside the one with -members")
	flag.BoolVar(&o.quiet, "strangers", false, "a second run of the rounds with no mail server, so that a member costs no delivery")
	flag.BoolVar(&o.second, "step2", false, "a second run in which 8 clients set passwords by tokens, beside the bare hash")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// Report is the result of a run.
type Report struct {
	CPUs    int      `json:"cpus"`
	Go      string   `json:"go"`
	Clients int      `json:"clients"`
	Members int      `json:"members"`
	Rounds  int      `json:"rounds"`
	Seconds float64  `json:"secondsARound"`
	Program Program  `json:"program"`
	Tables  []*Table `json:"tables"`
	Goals   []Goal   `json:"goals"`
}

func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "reseed-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	p, err := build(ctx, dir)
	if err != nil {
		return err
	}
	r := Report{CPUs: runtime.NumCPU(), Go: runtime.Version(), Clients: o.clients, Members: o.members,
		Rounds: o.rounds, Seconds: o.length.Seconds()}
	var failed error
	for _, name := range []string{"sqlite", "mariadb"} {
		if o.only != "" && o.only != name {
			continue
		}
		for _, v := range variants(o) {
			t, err := measure(ctx, v.options, p, name, v.name)
			if err != nil { // what the others measured is shown all the same
				failed = errors.Join(failed, fmt.Errorf("%s%s: %w", name, v.name, err))
				continue
			}
			r.Tables = append(r.Tables, t)
		}
	}
	r.Program = p.Program
	r.Goals = r.goals()
	if o.json {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		return errors.Join(failed, e.Encode(r))
	}
	r.print(os.Stdout)
	return failed
}

// variant is a run on a database of its own.
type variant struct {
	name string // what is said of it behind the database's name
	options
}

// strangers is the variant in which nothing is delivered.
const strangers = ", nothing delivered"

// variants returns the runs that the flags ask for, the plain one first.
func variants(o options) []variant {
	plain := o
	plain.waiting, plain.old, plain.deliver, plain.quiet, plain.second = 0, 0, 0, false, false
	list := []variant{{"", plain}}
	if o.waiting > 0 || o.old > 0 {
		filled := plain
		filled.waiting, filled.old, filled.idle = o.waiting, o.old, 0
		filled.members = max(o.members, o.waiting/10) // nobody asks a thousand times
		list = append(list, variant{fmt.Sprintf(", %d waiting, %d old", o.waiting, o.old), filled})
	}
	if o.deliver > 0 {
		delivers := plain
		delivers.waiting, delivers.deliver, delivers.idle = o.deliver, o.deliver, 0
		list = append(list, variant{fmt.Sprintf(", %d to deliver", o.deliver), delivers})
	}
	if o.many > 0 {
		many := plain
		many.members, many.idle = o.many, 0
		list = append(list, variant{fmt.Sprintf(", %d members", o.many), many})
	}
	if o.quiet {
		quiet := plain
		quiet.quiet, quiet.idle = true, 0
		list = append(list, variant{strangers, quiet})
	}
	if o.second {
		list = append(list, variant{secondStep, plain.asSecondStep()})
	}
	return list
}
