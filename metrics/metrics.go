// Package metrics holds what /metrics shows: counters, and gauges whose values
// are read by functions at each scrape.
package metrics

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/server"
)

// Metrics are the program's metrics. Labels come from short fixed lists, never
// from input.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	took     *prometheus.HistogramVec
	mails    *prometheus.CounterVec
	age      prometheus.Histogram
	waited   prometheus.Histogram
	deleted  *prometheus.CounterVec
}

// New returns the metrics of a server, all zero.
func New() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "reseed_requests_total", Help: "Requests that were answered.",
		}, []string{"method", "route", "status", "code"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "reseed_request_duration_seconds", Help: "Time from a request's header to its answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route"}),
		mails: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "reseed_mail_attempts_total", Help: "Claimed mails by what became of them: sent, dead, dropped, retry, returned.",
		}, []string{"outcome"}),
		age: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "reseed_mail_age_seconds", Help: "Time from a mail's order, or when it was due from the start, to the mail server's acceptance.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14400},
		}),
		waited: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "reseed_hashing_wait_seconds", Help: "Time that a caller waited for its turn to hash a password.",
			Buckets: []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
		}),
		deleted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "reseed_purged_rows_total", Help: "Old rows that were deleted.",
		}, []string{"table"}),
	}
	m.registry.MustRegister(m.requests, m.took, m.mails, m.age, m.waited, m.deleted,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Observe counts an answered request.
func (m *Metrics) Observe(o server.Observation) {
	m.requests.WithLabelValues(o.Method, o.Route, strconv.Itoa(o.Status), o.Code).Inc()
	m.took.WithLabelValues(o.Route).Observe(o.Took.Seconds())
}

// Purged counts old rows that were deleted.
func (m *Metrics) Purged(what string, rows int) { m.deleted.WithLabelValues(what).Add(float64(rows)) }

// HashWaited counts a caller that waited for its turn to hash a password.
func (m *Metrics) HashWaited(d time.Duration) { m.waited.Observe(d.Seconds()) }

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
		q.mails.WithLabelValues(outcomeOf(s)).Inc()
		if s.State == mail.Sent {
			q.age.Observe(max(s.Due.Sub(s.Ordered).Seconds(), 0))
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

// Register adds gauges.
func (m *Metrics) Register(list []Gauge) error {
	c := &gauges{}
	for _, g := range list {
		var labels []string
		if g.Label != "" {
			labels = []string{g.Label}
		}
		c.list = append(c.list, described{g, prometheus.NewDesc(g.Name, g.Help, labels, nil)})
	}
	return m.registry.Register(c)
}

type described struct {
	Gauge
	desc *prometheus.Desc
}

// gauges is a prometheus.Collector.
type gauges struct{ list []described }

// Describe implements prometheus.Collector.
func (g *gauges) Describe(to chan<- *prometheus.Desc) {
	for _, v := range g.list {
		to <- v.desc
	}
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	for _, v := range g.list {
		kind := prometheus.GaugeValue
		if v.Counter {
			kind = prometheus.CounterValue
		}
		for label, value := range v.Read(ctx) {
			var labels []string
			if v.Label != "" {
				labels = []string{label}
			}
			to <- prometheus.MustNewConstMetric(v.desc, kind, value, labels...)
		}
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

// Handler answers with all metrics.
func (m *Metrics) Handler(log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn), MaxRequestsInFlight: 4,
	})
}

// Counting returns a queue that counts what becomes of the mails that this server claims.
func (m *Metrics) Counting(q mail.Queue) mail.Queue { return countingQueue{q, m} }
