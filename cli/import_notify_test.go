package cli

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
)

// importing returns an importer into a fresh database by a clock that waits set forward.
func importing(t *testing.T, c *ImportCmd, now *time.Time, waited func()) (*importer, *bytes.Buffer) {
	t.Helper()
	cfg := &config.Config{Data: t.TempDir(), Migrate: "auto", TokenLife: time.Hour}
	cfg.KeyFile = cfg.Data + "/token.key"
	cfg.Complete()
	d, err := openDirectory(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	said := &bytes.Buffer{}
	im := &importer{
		directory: d, size: 10_000, progress: func(int) {}, groups: map[string]int64{}, named: map[identifier]bool{},
		std: &Console{Err: said, Now: func() time.Time { return *now }},
		pause: func(_ context.Context, d time.Duration) error {
			*now = now.Add(d)
			waited()
			return nil
		},
	}
	if err := im.notifyBy(t.Context(), cfg, c); err != nil {
		t.Fatal(err)
	}
	return im, said
}

func rowsOf(n int) *strings.Reader {
	var b strings.Builder
	b.WriteString("email\n")
	for i := range n {
		fmt.Fprintf(&b, "m%d@example.org\n", i)
	}
	return strings.NewReader(b.String())
}

// However many members are imported, no more than half an hour's mails are in the
// queue, one after the other, and none is due so late that a server would take
// it for misdated.
func TestImportPacesItsMails(t *testing.T) {
	start := time.Now().UTC().Truncate(time.Microsecond)
	now := start
	c := &ImportCmd{NotifyRate: 2}
	var im *importer
	var most int
	sent := map[mail.ID]bool{}
	im, said := importing(t, c, &now, func() { // a server that sends what is due
		most = max(most, sendDue(t, im, now, sent))
	})
	if err := im.run(t.Context(), rowsOf(100), c); err != nil {
		t.Fatal(err)
	}
	if im.added != 100 || im.welcomed != 100 {
		t.Errorf("%d added, %d mailed", im.added, im.welcomed)
	}
	list, err := im.Mails(t.Context(), members.MailFilter{Limit: 1000})
	if err != nil || len(list) != 100 {
		t.Fatalf("%d mails, %v", len(list), err)
	}
	due := map[int]int{}
	for _, m := range list {
		due[int(m.Created.Sub(start)/time.Minute)]++
		if m.Expires.Sub(m.Created) != time.Hour {
			t.Errorf("a link lives %v", m.Expires.Sub(m.Created))
		}
	}
	for minute, n := range due {
		if n > 3 {
			t.Errorf("%d mails are due in minute %d, want about 2", n, minute)
		}
	}
	if most > 60 || now.Sub(start) < 15*time.Minute {
		t.Errorf("%d mails were in the queue at once; the import took %v", most, now.Sub(start))
	}
	if !strings.Contains(said.String(), "wait for the server to send them") {
		t.Errorf("it says %q", said)
	}
}

// sendDue settles what is due, and returns how many mails wait.
func sendDue(t *testing.T, im *importer, now time.Time, sent map[mail.ID]bool) int {
	t.Helper()
	waiting, err := im.waitingMails(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := mail.Round{Worker: "w", Now: now, Latest: now.Add(time.Hour), Lease: time.Minute, Rescue: true, Claim: 100}
	result, err := im.Round(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	settle := mail.Round{Worker: "w", Now: now, Latest: now.Add(time.Hour), Lease: time.Minute}
	for _, o := range result {
		if sent[o.ID] || o.Created.After(now) {
			t.Errorf("mail %s of %v is sent at %v", o.ID, o.Created, now)
		}
		sent[o.ID] = true
		settle.Settle = append(settle.Settle, mail.Settlement{ID: o.ID, State: mail.Sent, Attempted: true})
	}
	if _, err := im.Round(t.Context(), settle); err != nil {
		t.Fatal(err)
	}
	return waiting
}

// While mails are not sent, an import adds no more members to be mailed.
func TestImportWaitsForAQueueThatIsStuck(t *testing.T) {
	now := time.Now().UTC()
	c := &ImportCmd{NotifyRate: 2}
	ctx, cancel := context.WithCancel(t.Context())
	waits := 0
	im, _ := importing(t, c, &now, func() {
		if waits++; waits == 60*60 {
			cancel()
		}
	})
	pause := im.pause
	im.pause = func(_ context.Context, d time.Duration) error {
		_ = pause(ctx, d)
		return ctx.Err()
	}
	err := im.run(t.Context(), rowsOf(200), c)
	if err == nil || !strings.Contains(err.Error(), "the members up to line 61 were added") || im.added != 60 {
		t.Errorf("%d added, %v", im.added, err)
	}
}

// Off a terminal an import says every 10,000 rows how far it is.
func TestImportSaysItsRows(t *testing.T) {
	var said bytes.Buffer
	progress := rowLines(&said)
	for i := range 25_000 {
		progress(i + 1)
	}
	if said.String() != "10000 rows\n20000 rows\n" {
		t.Errorf("it says %q", said.String())
	}
}
