package app

import (
	"context"
	"time"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/metrics"
	"github.com/reseed-project/reseed/webhooks"
)

// gauges are the metrics that are read from the parts when they are asked for.
func (a *App) gauges(now func() time.Time) []metrics.Gauge {
	return []metrics.Gauge{
		{Name: "reseed_mails", Help: "Mails in the database by state.", Label: "state", Read: a.mailStates},
		{Name: "reseed_webhook_calls", Help: "Requests to webhooks in the database by state.", Label: "state", Read: a.callStates},
		{Name: "reseed_mail_lateness_seconds", Help: "How long the mail has been due that waits longest.", Read: a.lateness(now)},
		{Name: "reseed_mail_paused", Help: "1 while delivery rests since the mail server is at fault.", Read: a.paused},
		{Name: "reseed_hashing", Help: "Passwords being hashed, and callers that wait for it.", Label: "state", Read: a.hashing},
		{Name: "reseed_database_connections", Help: "Connections to the database.", Label: "state", Read: a.connections},
		{Name: "reseed_database_up", Help: "1 while the database answers.", Read: a.databaseUp},
		{Name: "reseed_events_lost_total", Help: "Security events that are in the log alone.", Counter: true, Read: a.lostEvents},
		{Name: "reseed_log_lines_lost_total", Help: "Lines of the log that could not be written.", Counter: true, Read: a.linesLost},
	}
}

func (a *App) callStates(ctx context.Context) map[string]float64 {
	counts, err := a.Store.CallCounts(ctx)
	if err != nil {
		return nil
	}
	values := map[string]float64{}
	for _, s := range webhooks.States() {
		values[string(s)] = float64(counts[s])
	}
	return values
}

func (a *App) mailStates(ctx context.Context) map[string]float64 {
	counts, err := a.Store.Counts(ctx)
	if err != nil {
		return nil
	}
	values := map[string]float64{}
	for _, s := range mail.States() {
		values[string(s)] = float64(counts[s])
	}
	return values
}

func (a *App) lateness(now func() time.Time) func(context.Context) map[string]float64 {
	return func(ctx context.Context) map[string]float64 {
		due, err := a.Store.OldestDue(ctx)
		if err != nil {
			return nil
		}
		if due.IsZero() {
			return metrics.Single(0)
		}
		return metrics.Single(max(now().Sub(due).Seconds(), 0))
	}
}

func (a *App) paused(context.Context) map[string]float64 {
	return metrics.Single(metrics.Bool(a.Worker.Status().Paused))
}

func (a *App) hashing(context.Context) map[string]float64 {
	working, waiting := a.Members.Hasher.Load()
	return map[string]float64{"working": float64(working), "waiting": float64(waiting)}
}

func (a *App) connections(context.Context) map[string]float64 {
	s := a.Store.PoolStats()
	return map[string]float64{"in use": float64(s.InUse), "idle": float64(s.Idle)}
}

func (a *App) databaseUp(context.Context) map[string]float64 {
	return metrics.Single(metrics.Bool(a.state.prepared.Load() && !a.state.unavailable.Load()))
}

func (a *App) lostEvents(context.Context) map[string]float64 {
	return metrics.Single(float64(a.Audit.LostEvents()))
}

func (a *App) linesLost(context.Context) map[string]float64 {
	return metrics.Single(float64(a.lostLines.Load()))
}
