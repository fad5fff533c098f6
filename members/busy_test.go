package members

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/password"
)

// oneToken is a store with one member, whose token is good.
type oneToken struct {
	Store
	member Member
	token  string
}

func (o oneToken) FindMember(context.Context, Lookup) (Found, error) {
	return Found{Member: o.member}, nil
}

func (o oneToken) DecoyHash(context.Context, uint64) (password.Hash, error) { return "", nil }

func (o oneToken) FindToken(_ context.Context, t password.TokenHash) (FoundToken, error) {
	if t != password.HashToken(o.token) {
		return FoundToken{}, nil
	}
	return FoundToken{MemberID: o.member.ID, Purpose: password.Reset, Expires: time.Unix(9999, 0)}, nil
}

func (o oneToken) Complete(context.Context, Completion) (bool, error) { return true, nil }

type silentDispatcher struct{ Dispatcher }

func (silentDispatcher) Wake() {}

// floodedService returns a service whose one place for hashing is taken, and
// whose queue is full of sign-ins from one network, until release is called.
func floodedService(t *testing.T, queue int) (s *Service, token string, turnedAway chan error, release func()) {
	t.Helper()
	entered, gate := make(chan struct{}), make(chan struct{})
	h, err := password.NewHasher(password.Config{
		Params: password.Params{Memory: 64, Time: 1, Parallelism: 1}, Concurrency: 1, Queue: queue,
	})
	if err != nil {
		t.Fatal(err)
	}
	policy, err := password.NewPolicy(password.PolicyConfig{})
	if err != nil {
		t.Fatal(err)
	}
	turnedAway = make(chan error, max(queue, 0))
	var working sync.WaitGroup
	working.Go(func() {
		_ = h.Run(t.Context(), func() { close(entered); <-gate })
	})
	<-entered
	ctx := asClient(WithOrigin(t.Context(), Origin{Client: netip.MustParseAddr("198.51.100.7")}))
	for range queue {
		working.Go(func() {
			if _, err := h.VerifyDecoy(ctx, "guess"); err != nil {
				turnedAway <- err
			}
		})
	}
	for _, waiting := h.Load(); waiting < queue; _, waiting = h.Load() {
		runtime.Gosched()
	}
	keys := password.Keys{Current: make([]byte, password.MinKeyBytes)}
	store := oneToken{
		member: Member{ID: 2, Email: "ann@example.org", Status: Activated},
		token:  keys.Token(password.Reset, [16]byte{1}, 2),
	}
	return NewService(Config{
			Hasher: h, Policy: policy, Keys: keys, Store: store, Dispatcher: silentDispatcher{},
			Now: func() time.Time { return time.Unix(1000, 0) }, Log: slog.New(slog.DiscardHandler),
		}), store.token, turnedAway, func() {
			close(gate)
			working.Wait()
		}
}

// TestTokenIsLookedAtBeforeHashing holds that step 2 never waits to hash a
// password for a token that is not good, however busy the server is (LOD-1).
func TestTokenIsLookedAtBeforeHashing(t *testing.T) {
	s, _, _, release := floodedService(t, -1)
	defer release()
	bad := strings.Repeat("a", 32)
	_, errReset := s.Reset(t.Context(), Caller{}, ResetRequest{Email: "ann@example.org", Token: bad, Password: "purple Otter 42"})
	_, errLink := s.CompleteLink(t.Context(), Link{MemberID: 2, Token: bad}, "purple Otter 42")
	errRecover := s.Recover(t.Context(), WixSite{}, "ART"+bad, "purple Otter 42")
	for _, err := range []error{errReset, errLink, errRecover} {
		if !errors.Is(err, errcodes.New(errcodes.InvalidToken)) {
			t.Errorf("%v, want 102A", err)
		}
	}
}

// TestNoRoomToHash holds that a good token is refused with F004 if there is no
// room even for those who have one.
func TestNoRoomToHash(t *testing.T) {
	s, token, _, release := floodedService(t, -1)
	defer release()
	_, errReset := s.Reset(t.Context(), Caller{}, ResetRequest{Email: "ann@example.org", Token: token, Password: "purple Otter 42"})
	_, errLink := s.CompleteLink(t.Context(), Link{MemberID: 2, Token: token}, "purple Otter 42")
	_, errJudge := s.JudgePassword(t.Context(), Link{MemberID: 2, Token: token}, "purple Otter 42")
	for _, err := range []error{errReset, errLink, errJudge} {
		if !errors.Is(err, errcodes.New(errcodes.Unavailable)) {
			t.Errorf("%v, want F004", err)
		}
	}
}

// TestNothingIsLookedUpInVain holds that whoever can't set a password in time,
// not even with a good token, is refused before anything is looked up (LOD-1).
func TestNothingIsLookedUpInVain(t *testing.T) {
	h, err := password.NewHasher(password.Config{
		Params: password.Params{Memory: 64, Time: 1, Parallelism: 1}, Concurrency: 1, Wait: 1, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Hash(t.Context(), "password"); err != nil { // learns how long it takes
		t.Fatal(err)
	}
	s := NewService(Config{Hasher: h, Store: struct{ Store }{}, Log: slog.New(slog.DiscardHandler)}) // panics if asked
	errRun := h.Run(t.Context(), func() {
		_, errReset := s.Reset(t.Context(), Caller{}, ResetRequest{Email: "ann@example.org", Token: "a", Password: "purple Otter 42"})
		_, errLink := s.CompleteLink(t.Context(), Link{MemberID: 2, Token: "a"}, "purple Otter 42")
		_, errJudge := s.JudgePassword(t.Context(), Link{MemberID: 2, Token: "a"}, "purple Otter 42")
		errRecover := s.Recover(t.Context(), WixSite{}, "a", "purple Otter 42")
		for _, err := range []error{errReset, errLink, errJudge, errRecover} {
			if !errors.Is(err, errcodes.New(errcodes.Unavailable)) {
				t.Errorf("%v, want F004", err)
			}
		}
	})
	if errRun != nil {
		t.Fatal(errRun)
	}
}

// TestSignInFloodLeavesTokensThrough holds that whoever has a good token sets a
// password while a flood of sign-ins fills the queue.
func TestSignInFloodLeavesTokensThrough(t *testing.T) {
	s, token, turnedAway, release := floodedService(t, 4)
	result := make(chan error, 1)
	go func() {
		_, err := s.Reset(t.Context(), Caller{}, ResetRequest{Email: "ann@example.org", Token: token, Password: "purple Otter 42"})
		result <- err
	}()
	select {
	case err := <-result:
		release()
		t.Fatalf("with a good token, before anybody made room: %v", err)
	case <-turnedAway: //nolint:errcheck // that it came is what counts
	}
	release()
	if err := <-result; err != nil {
		t.Errorf("with a good token: %v", err)
	}
}

func TestClientsAreToldApartByNetwork(t *testing.T) {
	for a, want := range map[string]string{
		"192.0.2.1":            "192.0.2.1",
		"::ffff:192.0.2.1":     "192.0.2.1",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"2001:db8:1:2::9":      "2001:db8:1:2::/64",
		"fe80::1%eth0":         "fe80::/64",
	} {
		if got := clientOf(netip.MustParseAddr(a)); got != want {
			t.Errorf("clientOf(%s) = %s, want %s", a, got, want)
		}
	}
	if got := clientOf(netip.Addr{}); got != clientOf(netip.Addr{}) {
		t.Error(got)
	}
}

// TestBreachedPasswordsAreRefused holds that a password known from a breach is
// 1015 and spends no token, and that a service that can't be asked refuses none.
func TestBreachedPasswordsAreRefused(t *testing.T) {
	s, token, _, release := floodedService(t, 0)
	release()
	answer := http.StatusOK
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(answer)
		sum := fmt.Sprintf("%X", sha1.Sum([]byte("purple Otter 42")))
		if strings.HasSuffix(r.URL.Path, "/"+sum[:5]) {
			fmt.Fprintf(w, "%s:12\r\n", sum[5:])
		}
	}))
	defer service.Close()
	s.Breaches = &password.Breaches{URL: service.URL + "/"}
	set := func(pw string) error {
		_, err := s.Reset(t.Context(), Caller{}, ResetRequest{Email: "ann@example.org", Token: token, Password: pw})
		return err
	}
	if err := set("purple Otter 42"); !errors.Is(err, errcodes.New(errcodes.WeakPassword)) {
		t.Errorf("known from a breach: %v, want 1015", err)
	}
	admin := Caller{Member: Member{ID: 1, Admin: true}}
	_, errChange := s.Change(t.Context(), admin, "ann@example.org", ChangeRequest{Password: "purple Otter 42"})
	_, errRegister := s.RegisterMember(t.Context(), admin, RegisterRequest{Email: "eve@example.org", Firstname: "Eve", Surname: "E", Password: "purple Otter 42"})
	errSet := s.SetPassword(t.Context(), admin, Member{ID: 2}, "purple Otter 42", false)
	_, errAdd := s.AddMember(t.Context(), Caller{Command: "root"}, NewMember{Member: Member{Username: "eve"}}, "purple Otter 42")
	for way, err := range map[string]error{"change": errChange, "register": errRegister, "set by an administrator": errSet, "add": errAdd} {
		if !errors.Is(err, errcodes.New(errcodes.WeakPassword)) {
			t.Errorf("%s: known from a breach: %v, want 1015", way, err)
		}
	}
	if err := set("violet Harbor 93"); err != nil {
		t.Errorf("not known: %v", err)
	}
	answer = http.StatusInternalServerError
	if err := set("purple Otter 42"); err != nil {
		t.Errorf("the service is out of order: %v", err)
	}
}
