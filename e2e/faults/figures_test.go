package faults

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// answered is what became of an arrival. All times count from the load's begin.
type answered struct {
	arrival
	sent, done time.Duration
	status     int    // 0: none
	fault      string // what is wrong with the answer
}

// stageFigures are what came of a stage.
type stageFigures struct {
	loadStage
	Offered  int
	Asked    map[string]int         // by kind
	Statuses map[string]map[int]int // by kind
	Accepted quantiles              // from when they were due to their answers
	Refused  quantiles
	Turned   map[string]quantiles // the refused by kind
	Late     quantiles            // from when they were due until they were sent
	Done     int                  // accepted ones, of whatever stage, whose answers came in this one's time
	Faulty   int
	Faults   []string // some of them
	Slices   []slice
}

// slice is a tenth of a second of a stage, of requests that were due in it.
type slice struct {
	Accepted, Refused int
	Longest           time.Duration // for an accepted one
}

const sliceLength = 100 * time.Millisecond

// quantiles are how long things took.
type quantiles struct {
	N                          int
	Median, P99, P999, Longest time.Duration
}

func quantilesOf(times []time.Duration) quantiles {
	n := len(times)
	if n == 0 {
		return quantiles{}
	}
	slices.Sort(times)
	return quantiles{N: n, Median: times[n/2], P99: times[n*99/100], P999: times[n*999/1000], Longest: times[n-1]}
}

// String says it in words.
func (q quantiles) String() string {
	if q.N == 0 {
		return "none"
	}
	return fmt.Sprintf("%d (median %v, p99 %v, p99.9 %v, longest %v)", q.N, round(q.Median), round(q.P99), round(q.P999), round(q.Longest))
}

func round(d time.Duration) time.Duration {
	if d < 10*time.Millisecond {
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(time.Millisecond)
}

// sumUp makes the figures of all stages.
func sumUp(p loadPlan, lines []*line) []stageFigures {
	all := make([]stageFigures, len(p.Stages))
	start := time.Duration(0)
	for i, s := range p.Stages {
		all[i] = sumUpStage(p, i, start, lines)
		start += s.For
	}
	return all
}

func sumUpStage(p loadPlan, stage int, start time.Duration, lines []*line) stageFigures {
	s := p.Stages[stage]
	f := stageFigures{loadStage: s, Asked: map[string]int{}, Statuses: map[string]map[int]int{}, Slices: make([]slice, s.For/sliceLength+1)}
	var accepted, refused, late []time.Duration
	turned := map[string][]time.Duration{}
	for _, l := range lines {
		for _, a := range l.got {
			if a.fault == "" && a.status != http.StatusServiceUnavailable && a.done >= start && a.done < start+s.For {
				f.Done++
			}
			if a.stage != stage {
				continue
			}
			f.count(p.Kinds[a.kind].Name, a)
			late = append(late, a.sent-a.due)
			at := &f.Slices[min(int((a.due-start)/sliceLength), len(f.Slices)-1)]
			switch {
			case a.fault != "":
			case a.status == http.StatusServiceUnavailable:
				refused = append(refused, a.done-a.due)
				kind := p.Kinds[a.kind].Name
				turned[kind] = append(turned[kind], a.done-a.due)
				at.Refused++
			default:
				accepted = append(accepted, a.done-a.due)
				at.Accepted++
				at.Longest = max(at.Longest, a.done-a.due)
			}
		}
	}
	f.Accepted, f.Refused, f.Late = quantilesOf(accepted), quantilesOf(refused), quantilesOf(late)
	f.Turned = map[string]quantiles{}
	for kind, times := range turned {
		f.Turned[kind] = quantilesOf(times)
	}
	return f
}

func (f *stageFigures) count(kind string, a answered) {
	if f.Statuses[kind] == nil {
		f.Statuses[kind] = map[int]int{}
	}
	f.Offered++
	f.Asked[kind]++
	f.Statuses[kind][a.status]++
	if a.fault == "" {
		return
	}
	if f.Faulty++; f.Faulty <= 5 {
		f.Faults = append(f.Faults, a.fault)
	}
}

// goodput is what was done a second.
func (f stageFigures) goodput() float64 { return float64(f.Done) / f.For.Seconds() }

// String says it in words.
func (f stageFigures) String() string {
	offered := fmt.Sprintf("%d a second", f.Rate)
	if f.Rate == 0 {
		offered = "one after the other"
	}
	return fmt.Sprintf("%s for %v: goodput %.0f a second\n\taccepted %v\n\trefused %v %v\n\tsent late %v\n\tby kind %v",
		offered, f.For, f.goodput(), f.Accepted, f.Refused, f.Turned, f.Late, f.Statuses)
}

// settled returns how long after the stage's begin nothing was refused any
// more, nor took longer than bound.
func (f stageFigures) settled(bound time.Duration) time.Duration {
	for i, s := range slices.Backward(f.Slices) {
		if s.Refused > 0 || s.Longest > bound {
			return time.Duration(i+1) * sliceLength
		}
	}
	return 0
}
