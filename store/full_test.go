package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/store"
	"github.com/reseed-project/reseed/store/mariadbtest"
)

// A database that is full refuses what would need room with 503, at once, and
// keeps all that it took; reading goes on; with room it works again without a
// restart (FLT-9). That calls to a server that waits for room are cut off is
// shown if it does not answer at all (FLT-3).
func TestFullDatabaseIsUnavailable(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		e := newEnv(t, store.Config{Now: time.Now, Path: t.TempDir() + "/r.db"})
		limit := func(n int) {
			if err := e.LimitPages(t.Context(), n); err != nil {
				t.Fatal(err)
			}
		}
		limit(1) // SQLite takes what there is for more
		e.untilFull()
		limit(1 << 20)
		e.withRoom()
	})
	// MariaDB waits for room, or says one of these; how it really runs out of
	// disk ends by luck, now and then with its crash.
	for _, number := range []int{1021, 1114} {
		t.Run(fmt.Sprintf("mariadb says %d", number), func(t *testing.T) {
			e := newEnv(t, store.Config{Now: time.Now, DSN: mariadbtest.Start(t).NewDatabase(t)})
			e.order(1)
			db := raw(t, e.config)
			if _, err := db.Exec(fmt.Sprintf(`CREATE TRIGGER no_room BEFORE INSERT ON mails FOR EACH ROW
SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = %d, MESSAGE_TEXT = 'no room'`, number)); err != nil {
				t.Fatal(err)
			}
			e.untilFull()
			if _, err := db.Exec(`DROP TRIGGER no_room`); err != nil {
				t.Fatal(err)
			}
			e.withRoom()
		})
	}
}

// untilFull adds orders until there is no room for one.
func (e *env) untilFull() {
	e.t.Helper()
	var taken []mail.ID
	var err error
	for len(taken) < 200_000 && err == nil {
		o := e.newOrder(1)
		if err = e.AddOrder(e.t.Context(), o); err == nil {
			taken = append(taken, o.ID)
		}
	}
	if !isUnavailable(err) {
		e.t.Fatalf("after %d orders: %v", len(taken), err)
	}
	began := time.Now()
	if err := e.AddOrder(e.t.Context(), e.newOrder(1)); !isUnavailable(err) || time.Since(began) > 20*time.Second {
		e.t.Errorf("again, after %v: %v", time.Since(began), err)
	}
	if _, err := e.FindMember(e.t.Context(), members.Lookup{ID: 1}); err != nil {
		e.t.Errorf("reading: %v", err)
	}
	for _, id := range taken {
		if _, found, err := e.Mail(e.t.Context(), id); !found || err != nil {
			e.t.Fatalf("an order that was taken is there: %v, %v", found, err)
		}
	}
	e.t.Logf("full after %d orders", len(taken))
}

// withRoom adds an order and spends its token.
func (e *env) withRoom() {
	e.t.Helper()
	o := e.order(e.member("late", "").ID)
	if !e.complete(completion(o)) {
		e.t.Error("not completed")
	}
}
