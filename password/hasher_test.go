package password

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/bcrypt"
)

var cheap = Params{Memory: 64, Time: 1, Parallelism: 1}

func newHasher(t *testing.T, c Config) *Hasher {
	t.Helper()
	h, err := NewHasher(c)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func mustHash(t *testing.T, h *Hasher, password string) Hash {
	t.Helper()
	hash, err := h.Hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

// checkVerify fails unless Verify tells exactly this.
func checkVerify(t *testing.T, h *Hasher, hash Hash, password string, wantOK, wantOutdated bool) {
	t.Helper()
	d, err := h.Verify(t.Context(), hash, password)
	if err != nil || d.OK != wantOK || d.Outdated != wantOutdated {
		t.Errorf("Verify(%.20q...) = %+v, %v, want %v, %v", password, d, err, wantOK, wantOutdated)
	}
}

// TestHashVerifiesEveryCharacter holds PWD-5, that every character counts, a NUL
// and spaces among them; and PWD-4, those that bcrypt would cut.
func TestHashVerifiesEveryCharacter(t *testing.T) {
	h := newHasher(t, Config{Params: cheap})
	for _, c := range []struct{ password, other string }{
		{"correct horse", "Correct horse"},
		{"correct horse", "correct horse "},
		{" correct horse", "correct horse"},
		{"nul\x00tail", "nul\x00liat"},
		{"nul\x00", "nul"},
		{"\uff21", "A"},
		{"\xff\xfe", "\ufffd\ufffd"},
		{"", "\x00"},
		{strings.Repeat("é", 64), strings.Repeat("é", 63) + "è"},
		{strings.Repeat("😀", 64), strings.Repeat("😀", 63) + "😁"},
		{strings.Repeat("a", MaxBytes), strings.Repeat("a", MaxBytes-1)},
	} {
		hash := mustHash(t, h, c.password)
		checkVerify(t, h, hash, c.password, true, false)
		checkVerify(t, h, hash, c.other, false, false)
	}
}

func TestHashesAreSalted(t *testing.T) {
	h := newHasher(t, Config{Params: cheap})
	if a, b := mustHash(t, h, "same password"), mustHash(t, h, "same password"); a == b {
		t.Error("two hashes of one password are equal")
	}
	h = newHasher(t, Config{Params: cheap, Rand: iotest.ErrReader(errors.New("dry"))})
	if hash, err := h.Hash(t.Context(), "password"); err == nil || hash != "" {
		t.Error("a hash was made without a salt")
	}
}

func TestHashUsesTheRecommendedParameters(t *testing.T) {
	hash := mustHash(t, newHasher(t, Config{}), "password")
	if got := string(hash); !strings.HasPrefix(got, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash begins with %.30s", got)
	}
}

// The vector is one of the reference implementation's.
func TestVerifyKnownArgon2id(t *testing.T) {
	const hash = "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"
	h := newHasher(t, Config{Params: cheap})
	checkVerify(t, h, hash, "password", true, true)
	checkVerify(t, h, hash, "differentpassword", false, false)
}

func TestVerifyTellsOutdated(t *testing.T) {
	hash := mustHash(t, newHasher(t, Config{Params: cheap}), "password")
	checkVerify(t, newHasher(t, Config{Params: cheap}), hash, "password", true, false)
	for _, p := range []Params{
		{Memory: 128, Time: 1, Parallelism: 1},
		{Memory: 64, Time: 2, Parallelism: 1},
		{Memory: 64, Time: 1, Parallelism: 2},
	} {
		h := newHasher(t, Config{Params: p})
		checkVerify(t, h, hash, "password", true, true)
		checkVerify(t, h, hash, "wrong", false, false)
	}
}

// TestVerifyBcrypt holds PWD-3: the library takes any tail after byte 72. It
// uses a cost below the bounds, since it is about lengths.
func TestVerifyBcrypt(t *testing.T) {
	long := strings.Repeat("a", bcryptBytes)
	made, err := bcrypt.GenerateFromPassword([]byte(long), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]bool{
		long: true, long + "Z": false, long[1:]: false, long[1:] + "b": false, long[1:] + "\x00": false, "": false,
	} {
		for _, prefix := range []string{"$2a$", "$2b$", "$2y$"} {
			if got := bcryptHash(prefix + string(made[4:])).matches(password); got != want {
				t.Errorf("%s and %d bytes: %v, want %v", prefix, len(password), got, want)
			}
		}
	}
}

func TestImportedBcryptIsOutdated(t *testing.T) {
	made, err := bcrypt.GenerateFromPassword([]byte("password"), minBcryptCost)
	if err != nil {
		t.Fatal(err)
	}
	h := newHasher(t, Config{Params: cheap})
	checkVerify(t, h, Hash(made), "password", true, true)
	checkVerify(t, h, Hash(made), "Password", false, false)
}

// TestBadHashesCostNothing holds PWD-7.
func TestBadHashesCostNothing(t *testing.T) {
	h := newHasher(t, Config{Params: cheap})
	h.derive = func([]byte, []byte, uint32, uint32, uint8, uint32) []byte {
		t.Error("a refused hash was computed")
		return nil
	}
	for _, hash := range append(slices.Clone(badHashes), "$2a$31$"+strings.Repeat("a", 53)) {
		start := time.Now()
		d, err := h.Verify(t.Context(), Hash(hash), "password")
		if !errors.Is(err, ErrBadHash) || d.OK {
			t.Errorf("Verify(%q) = %v, %v, want ErrBadHash", hash, d.OK, err)
		}
		if took := time.Since(start); took > 10*time.Millisecond {
			t.Errorf("Verify(%q) took %v", hash, took)
		}
		if err != nil && len(hash) > 20 && strings.Contains(err.Error(), hash[10:]) {
			t.Errorf("the error shows the hash: %v", err)
		}
	}
}

// TestLongPasswordsCostNothing holds PWD-6: they don't even wait their turn.
func TestLongPasswordsCostNothing(t *testing.T) {
	h := newHasher(t, Config{Params: cheap, Concurrency: 1, Queue: -1})
	hash := mustHash(t, h, "password")
	computed := 0
	h.derive = func([]byte, []byte, uint32, uint32, uint8, uint32) []byte { computed++; return nil }
	h.limiter.working = 1
	for _, size := range []int{MaxBytes + 1, 1 << 20} {
		long := strings.Repeat("a", size)
		if _, err := h.Hash(t.Context(), long); !errors.Is(err, ErrTooLong) {
			t.Errorf("Hash of %d bytes: %v", size, err)
		}
		checkVerify(t, h, hash, long, false, false)
		if _, err := h.VerifyDecoy(t.Context(), long); err != nil {
			t.Errorf("VerifyDecoy of %d bytes: %v", size, err)
		}
	}
	if computed != 0 {
		t.Errorf("%d hashes computed for passwords over the limit", computed)
	}
}

// TestDecoyCostsWhatAMemberCosts compares what is computed, not the clock.
func TestDecoyCostsWhatAMemberCosts(t *testing.T) {
	h := newHasher(t, Config{Params: cheap})
	hash := mustHash(t, h, "password")
	type work struct {
		password, salt, key int
		time, memory        uint32
		threads             uint8
	}
	var done []work
	h.derive = func(pw, salt []byte, time, memory uint32, threads uint8, key uint32) []byte {
		done = append(done, work{len(pw), len(salt), int(key), time, memory, threads})
		return make([]byte, key)
	}
	checkVerify(t, h, hash, "guess", false, false)
	if _, err := h.VerifyDecoy(t.Context(), "guess"); err != nil {
		t.Fatal(err)
	}
	if len(done) != 2 || done[0] != done[1] {
		t.Errorf("work done for a member and for a decoy: %+v", done)
	}
}

// TestBoundedWork fills the hasher and its queue: LOD-1 and LOD-3.
func TestBoundedWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const concurrency, queue = 2, 3
		h := newHasher(t, Config{Params: cheap, Concurrency: concurrency, Queue: queue})
		running, most := 0, 0
		began, release := make(chan int), make(chan struct{})
		h.derive = func([]byte, []byte, uint32, uint32, uint8, uint32) []byte {
			began <- 1
			<-release
			began <- -1
			return make([]byte, keySize)
		}
		results := make(chan error, concurrency+queue)
		for range concurrency + queue {
			go func() {
				_, err := h.Hash(t.Context(), "password")
				results <- err
			}()
		}
		go func() {
			for n := range began {
				running += n
				most = max(most, running)
			}
		}()
		synctest.Wait()
		if running != concurrency {
			t.Errorf("%d hashes run at once, want %d", running, concurrency)
		}
		checkBusy(t, h)
		close(release)
		for range concurrency + queue {
			if err := <-results; err != nil {
				t.Errorf("a caller within the bounds: %v", err)
			}
		}
		close(began)
		synctest.Wait()
		if most != concurrency {
			t.Errorf("up to %d hashes ran at once, want %d", most, concurrency)
		}
	})
}

// Nobody waits longer than Wait, by what hashing took lately: with hashes of
// 100 ms, one at once, ten are a second's (LOD-1, LOD-3).
func TestNoHashWaitsLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(t, Config{Params: cheap, Concurrency: 1, Now: time.Now})
		h.derive = func([]byte, []byte, uint32, uint32, uint8, uint32) []byte {
			<-time.After(100 * time.Millisecond)
			return make([]byte, keySize)
		}
		if _, err := h.Hash(t.Context(), "password"); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		var all sync.WaitGroup
		for range 11 { // one works, ten wait
			all.Go(func() {
				if _, err := h.Hash(t.Context(), "password"); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		checkBusy(t, h)
		all.Wait()
		if took := time.Since(began); took != 1100*time.Millisecond {
			t.Errorf("all took %v", took)
		}
	})
}

// checkBusy fails unless every kind of work is refused.
func checkBusy(t *testing.T, h *Hasher) {
	t.Helper()
	_, errHash := h.Hash(t.Context(), "password")
	_, errArgon := h.Verify(t.Context(), Hash(h.decoy.String()), "password")
	d, errBcrypt := h.Verify(t.Context(), Hash("$2a$10$"+strings.Repeat("a", 53)), "password")
	_, errDecoy := h.VerifyDecoy(t.Context(), "password")
	for _, err := range []error{errHash, errArgon, errBcrypt, errDecoy} {
		if !errors.Is(err, ErrBusy) {
			t.Errorf("over the bound: %v, want ErrBusy", err)
		}
	}
	if d.OK {
		t.Error("a busy hasher let somebody in")
	}
}

func TestWaitingEndsWithTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(t, Config{Params: cheap, Concurrency: 1, Queue: 1})
		h.limiter.working = 1
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error)
		go func() {
			_, err := h.VerifyDecoy(ctx, "password")
			result <- err
		}()
		synctest.Wait()
		checkBusy(t, h) // the one place to wait in is taken
		cancel()
		if err := <-result; !errors.Is(err, context.Canceled) {
			t.Errorf("the caller is gone: %v", err)
		}
		h.limiter.release()
		if _, err := h.Hash(t.Context(), "password"); err != nil {
			t.Errorf("after the caller left: %v", err)
		}
		if _, err := h.Hash(ctx, "password"); !errors.Is(err, context.Canceled) {
			t.Errorf("a caller that is gone already: %v", err)
		}
		if working, waiting := h.Load(); working != 0 || waiting != 0 {
			t.Error("a place was not given back")
		}
	})
}

func TestNewHasherRefuses(t *testing.T) {
	for _, c := range []Config{
		{Params: Params{Memory: 7, Time: 1, Parallelism: 1}},
		{Params: Params{Memory: 15, Time: 1, Parallelism: 2}},
		{Params: Params{Memory: maxMemory + 1, Time: 1, Parallelism: 1}},
		{Params: Params{Memory: 64, Time: 0, Parallelism: 1}},
		{Params: Params{Memory: 64, Time: maxTime + 1, Parallelism: 1}},
		{Params: Params{Memory: 64, Time: 1, Parallelism: 0}},
		{Params: Params{Memory: 1024, Time: 1, Parallelism: maxParallelism + 1}},
		{Params: cheap, Concurrency: -1},
	} {
		if _, err := NewHasher(c); err == nil {
			t.Errorf("NewHasher(%+v) succeeded", c)
		}
	}
}
