package members

import (
	"errors"
	"sync"
	"testing"
	"time"

	"reseed/errcodes"
	"reseed/password"
)

// Where too many passwords are being hashed, a new one is refused before
// anything is looked up: there is no store here that could be asked (LOD-1).
func TestNoRoomToHash(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	h, err := password.NewHasher(password.Config{
		Params: password.Params{Memory: 64, Time: 1, Parallelism: 1}, Concurrency: 1, Queue: -1,
		Now: func() time.Time {
			once.Do(func() { close(entered) })
			<-release
			return time.Time{}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var working sync.WaitGroup
	working.Go(func() { _ = h.VerifyNobody(t.Context(), "password") })
	<-entered
	s := NewService(Config{Hasher: h})
	_, errReset := s.Reset(t.Context(), Caller{}, ResetRequest{Email: "ann@example.org", Token: "token", Password: "password"})
	_, errLink := s.CompleteLink(t.Context(), Link{MemberID: 2, Token: "token"}, "password")
	errRecover := s.Recover(t.Context(), "token", "password")
	for _, err := range []error{errReset, errLink, errRecover} {
		if !errors.Is(err, errcodes.New(errcodes.Unavailable)) {
			t.Errorf("%v, want F004", err)
		}
	}
	close(release)
	working.Wait()
}
