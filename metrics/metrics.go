// Package metrics holds what /metrics shows: counters, and gauges whose values
// are read by functions at each scrape.
package metrics

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/server"
)

// Metrics are the program's metrics. Labels come from short fixed lists, never
// from input.
type Metrics struct {
	requests, took, mails, age, waited, deleted *family

	gauges  []Gauge
	scrapes chan struct{}
}

// maxScrapes are answered at once.
const maxScrapes = 4

// Bounds of histograms, in seconds.
var (
	answerTimes = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	mailAges    = []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14400}
	hashWaits   = []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5}
)

// New returns the metrics of a server, all zero.
func New() *Metrics {
	return &Metrics{
		requests: newCounter("reseed_requests_total", "Requests that were answered."),
		took:     newHistogram("reseed_request_duration_seconds", "Time from a request's header to its answer.", answerTimes),
		mails:    newCounter("reseed_mail_attempts_total", "Claimed mails by what became of them: sent, dead, dropped, retry, returned."),
		age: newHistogram("reseed_mail_age_seconds",
			"Time from a mail's order, or when it was due from the start, to the mail server's acceptance.", mailAges),
		waited:  newHistogram("reseed_hashing_wait_seconds", "Time that a caller waited for its turn to hash a password.", hashWaits),
		deleted: newCounter("reseed_purged_rows_total", "Old rows that were deleted."),
		scrapes: make(chan struct{}, maxScrapes),
	}
}

// Observe counts an answered request.
func (m *Metrics) Observe(o server.Observation) {
	m.requests.count(1, `{code="`+o.Code+`",method="`+o.Method+`",route="`+o.Route+`",status="`+strconv.Itoa(o.Status)+`"}`)
	m.took.observe(o.Took.Seconds(), `{route="`+o.Route+`"}`)
}

// Purged counts old rows that were deleted.
func (m *Metrics) Purged(what string, rows int) { m.deleted.count(rows, `{table="`+what+`"}`) }

// HashWaited counts a caller that waited for its turn to hash a password.
func (m *Metrics) HashWaited(d time.Duration) { m.waited.observe(d.Seconds(), "") }

// family is what has one name, by its labels.
type family struct {
	name, help, kind string
	bounds           []float64 // of a histogram
	set              *metrics.Set
}

func newCounter(name, help string) *family {
	return &family{name: name, help: help, kind: counterKind, set: metrics.NewSet()}
}

func newHistogram(name, help string, bounds []float64) *family {
	return &family{name: name, help: help, kind: "histogram", bounds: bounds, set: metrics.NewSet()}
}

// count adds to a counter; labels are in the format of the exposition, "" for none.
func (f *family) count(n int, labels string) { f.set.GetOrCreateCounter(f.name + labels).Add(n) }

func (f *family) observe(v float64, labels string) {
	f.set.GetOrCreatePrometheusHistogramExt(f.name+labels, f.bounds).Update(v)
}

func (f *family) write(w *bytes.Buffer) {
	describe(w, f.name, f.help, f.kind)
	f.set.WritePrometheus(w)
}

const counterKind, gaugeKind = "counter", "gauge"

func describe(w *bytes.Buffer, name, help, kind string) {
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// countingQueue counts what becomes of the mails that this server claims.
type countingQueue struct {
	mail.Queue
	*Metrics
}

// Round counts what became of mails in a round that was made.
func (q countingQueue) Round(ctx context.Context, r mail.Round) ([]mail.Order, error) {
	claimed, err := q.Queue.Round(ctx, r)
	if err != nil {
		return nil, err
	}
	for _, s := range r.Settle {
		q.mails.count(1, `{outcome="`+outcomeOf(s)+`"}`)
		if s.State == mail.Sent {
			q.age.observe(max(s.Due.Sub(s.Ordered).Seconds(), 0), "")
		}
	}
	return claimed, nil
}

func outcomeOf(s mail.Settlement) string {
	switch {
	case s.State != mail.Pending:
		return string(s.State)
	case s.Attempted:
		return "retry"
	}
	return "returned"
}

// scrapeTime limits how long a scrape may query the database.
const scrapeTime = 3 * time.Second

// Gauge is a metric whose values are read at each scrape.
type Gauge struct {
	Name, Help string
	Label      string // of its values; "" if it has only one
	Counter    bool   // whether it only grows
	// Read returns the values by label, without those that can't be read.
	Read func(ctx context.Context) map[string]float64
}

// Register adds gauges, before the first scrape.
func (m *Metrics) Register(list []Gauge) { m.gauges = append(m.gauges, list...) }

func (g Gauge) write(ctx context.Context, w *bytes.Buffer) {
	kind := gaugeKind
	if g.Counter {
		kind = counterKind
	}
	describe(w, g.Name, g.Help, kind)
	values := g.Read(ctx)
	for _, label := range slices.Sorted(maps.Keys(values)) {
		name := g.Name
		if g.Label != "" {
			name += `{` + g.Label + `="` + label + `"}`
		}
		metrics.WriteGaugeFloat64(w, name, values[label])
	}
}

// Single returns the value of a gauge without labels.
func Single(v float64) map[string]float64 { return map[string]float64{"": v} }

// Bool returns 1 for true and 0 for false.
func Bool(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// Handler answers with all metrics in Prometheus's text format, to a few at once
// and with 503 to others.
func (m *Metrics) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case m.scrapes <- struct{}{}:
			defer func() { <-m.scrapes }()
		default:
			http.Error(w, "too many scrapes at once", http.StatusServiceUnavailable)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), scrapeTime)
		defer cancel()
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = w.Write(m.expose(ctx))
	})
}

func (m *Metrics) expose(ctx context.Context) []byte {
	var b bytes.Buffer
	for _, f := range []*family{m.requests, m.took, m.mails, m.age, m.waited, m.deleted} {
		f.write(&b)
	}
	for _, g := range m.gauges {
		g.write(ctx, &b)
	}
	metrics.WriteProcessMetrics(&b)
	metrics.WriteFDMetrics(&b)
	return b.Bytes()
}

// Counting returns a queue that counts what becomes of the mails that this server claims.
func (m *Metrics) Counting(q mail.Queue) mail.Queue { return countingQueue{q, m} }
