package main

import (
	"context"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"reseed/mail"
	"reseed/server"
)

// metrics are what /metrics shows. Labels come from the program's own short
// lists, never from input.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	took     *prometheus.HistogramVec
	mails    *prometheus.CounterVec
	deleted  *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{
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
		deleted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "reseed_purged_rows_total", Help: "Old rows that were deleted.",
		}, []string{"table"}),
	}
	m.registry.MustRegister(m.requests, m.took, m.mails, m.deleted,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) observe(o server.Observation) {
	m.requests.WithLabelValues(o.Method, o.Route, strconv.Itoa(o.Status), o.Code).Inc()
	m.took.WithLabelValues(o.Route).Observe(o.Took.Seconds())
}

func (m *metrics) purged(what string, rows int) { m.deleted.WithLabelValues(what).Add(float64(rows)) }

// countingQueue counts what becomes of the mails that this server claims.
type countingQueue struct {
	mail.Queue
	mails *prometheus.CounterVec
}

// Settle counts a settlement that was recorded.
func (q countingQueue) Settle(ctx context.Context, s mail.Settlement) error {
	err := q.Queue.Settle(ctx, s)
	if err != nil {
		return err
	}
	outcome := string(s.State)
	if s.State == mail.Pending {
		outcome = "returned"
		if s.Attempted {
			outcome = "retry"
		}
	}
	q.mails.WithLabelValues(outcome).Inc()
	return nil
}

// scrapeTime is what a look into the database may take for a scrape.
const scrapeTime = 3 * time.Second

// gauges are read when they are asked for.
type gauges struct {
	app    *app
	now    func() time.Time
	values []gauge
}

// gauge is one metric with the values that it has just now, by label.
type gauge struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(ctx context.Context) map[string]float64
}

func (a *app) newGauges(now func() time.Time) *gauges {
	describe := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	const value = prometheus.GaugeValue
	return &gauges{app: a, now: now, values: []gauge{
		{describe("reseed_mails", "Mails in the database by state.", "state"), value, a.mailStates},
		{describe("reseed_mail_lateness_seconds", "How long the mail has been due that waits longest."), value, a.lateness(now)},
		{describe("reseed_mail_paused", "1 while delivery rests since the mail server is at fault."), value, a.paused},
		{describe("reseed_hashing", "Passwords being hashed, and callers that wait for it.", "state"), value, a.hashing},
		{describe("reseed_database_connections", "Connections to the database.", "state"), value, a.connections},
		{describe("reseed_database_up", "1 while the database answers."), value, a.databaseUp},
		{describe("reseed_events_lost_total", "Security events that are in the log alone."), prometheus.CounterValue, a.lostEvents},
		{describe("reseed_log_lines_lost_total", "Lines of the log that could not be written."), prometheus.CounterValue, a.linesLost},
	}}
}

// Describe implements prometheus.Collector.
func (g *gauges) Describe(to chan<- *prometheus.Desc) {
	for _, v := range g.values {
		to <- v.desc
	}
}

// Collect implements prometheus.Collector. What can't be read is left out.
func (g *gauges) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	for _, v := range g.values {
		for label, value := range v.read(ctx) {
			var labels []string
			if label != "" {
				labels = []string{label}
			}
			to <- prometheus.MustNewConstMetric(v.desc, v.kind, value, labels...)
		}
	}
}

func (a *app) mailStates(ctx context.Context) map[string]float64 {
	counts, err := a.store.Counts(ctx)
	if err != nil {
		return nil
	}
	values := map[string]float64{}
	for _, s := range mailStates {
		values[string(s)] = float64(counts[s])
	}
	return values
}

func (a *app) lateness(now func() time.Time) func(context.Context) map[string]float64 {
	return func(ctx context.Context) map[string]float64 {
		due, err := a.store.OldestDue(ctx)
		if err != nil {
			return nil
		}
		if due.IsZero() {
			return only(0)
		}
		return only(max(now().Sub(due).Seconds(), 0))
	}
}

func (a *app) paused(context.Context) map[string]float64 {
	return only(oneIf(a.worker.Status().Paused))
}

func (a *app) hashing(context.Context) map[string]float64 {
	working, waiting := a.members.Hasher.Load()
	return map[string]float64{"working": float64(working), "waiting": float64(waiting)}
}

func (a *app) connections(context.Context) map[string]float64 {
	s := a.store.PoolStats()
	return map[string]float64{"in use": float64(s.InUse), "idle": float64(s.Idle)}
}

func (a *app) databaseUp(context.Context) map[string]float64 {
	return only(oneIf(a.state.prepared.Load() && !a.state.away.Load()))
}

func (a *app) lostEvents(context.Context) map[string]float64 {
	return only(float64(a.audit.lost.Load()))
}

func (a *app) linesLost(context.Context) map[string]float64 {
	return only(float64(a.lostLines.Load()))
}

func only(v float64) map[string]float64 { return map[string]float64{"": v} }

func oneIf(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
