package members

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/reseed-project/reseed/password"
)

// Every server of a key picks the same, and no one without it can foretell it.
func TestDecoysAreTheSameEverywhere(t *testing.T) {
	service := func(key byte) *Service {
		return NewService(Config{Keys: password.Keys{Current: bytes.Repeat([]byte{key}, password.MinKeyBytes)}})
	}
	one, two, other := service(1), service(1), service(2)
	if a, b := one.decoyNumber("xyz"), two.decoyNumber("XYZ"); a != b {
		t.Errorf("%d on one server and %d on another", a, b)
	}
	if one.decoyNumber("xyz") == other.decoyNumber("xyz") || one.decoyNumber("xyz") == one.decoyNumber("zyx") {
		t.Error("another key, or another name, makes no difference")
	}
}

// Decoys are spread evenly, so that an unknown name gets an imported hash as
// often as a member has one.
func TestDecoysAreSpread(t *testing.T) {
	const names, places = 20_000, 40
	s := NewService(Config{Keys: password.Keys{Current: make([]byte, password.MinKeyBytes)}})
	count := make([]int, places)
	for i := range names {
		count[s.decoyNumber(fmt.Sprint(i))%places]++
	}
	for place, n := range count {
		if n < names/places*8/10 || n > names/places*12/10 {
			t.Errorf("place %d has %d of %d names", place, n, names)
		}
	}
}
