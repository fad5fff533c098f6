package password

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestRefusalsTakeTheSameTime holds that an imported hash, which takes longer
// to verify, doesn't tell that its member was imported: a refusal takes as long
// for a hash made here, once the other kind is known.
func TestRefusalsTakeTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(t, Config{Params: cheap, Concurrency: 1, Now: time.Now})
		h.derive = func(_, _ []byte, passes, _ uint32, _ uint8, size uint32) []byte {
			<-time.After(time.Duration(passes) * 10 * time.Millisecond)
			return make([]byte, size)
		}
		own := Hash(argonHash{params: cheap, salt: make([]byte, saltSize), key: []byte(strings.Repeat("k", keySize))}.String())
		foreign := Hash(strings.Replace(string(own), "t=1", "t=9", 1))
		refuse := func(hash Hash) time.Duration {
			began := time.Now()
			d, err := h.Verify(t.Context(), hash, "guess")
			if err != nil || d.OK {
				t.Fatal(d, err)
			}
			h.EvenOut(t.Context(), d.Took)
			return time.Since(began)
		}
		if took := refuse(own); took != 10*time.Millisecond {
			t.Errorf("while all hashes are alike a refusal takes %v, want 10ms", took)
		}
		if err := h.Learn(t.Context(), []Hash{foreign}); err != nil {
			t.Fatal(err)
		}
		for _, hash := range []Hash{own, foreign, own, foreign} {
			if took := refuse(hash); took != 180*time.Millisecond {
				t.Errorf("a refusal takes %v, want 180ms", took)
			}
		}
		if d, err := h.VerifyDecoy(t.Context(), "guess"); err != nil || d.Took != 10*time.Millisecond {
			t.Errorf("the decoy took %v, %v", d.Took, err)
		}
	})
}

func TestLearnVerifiesOneOfEachKind(t *testing.T) {
	h := newHasher(t, Config{Params: cheap})
	computed := 0
	h.derive = func(_, _ []byte, _, _ uint32, _ uint8, size uint32) []byte { computed++; return make([]byte, size) }
	own := Hash(h.decoy.String())
	other := Hash(strings.Replace(string(own), "t=1", "t=2", 1))
	if err := h.Learn(t.Context(), []Hash{own, "nonsense", own, other, other, ""}); err != nil {
		t.Fatal(err)
	}
	if computed != 2 {
		t.Errorf("%d hashes computed, want 2", computed)
	}
}
