package members

import (
	"bytes"
	"testing"

	"reseed/password"
)

// Every server of a key picks the same, and no one without it can foretell it.
func TestStandInsAreTheSameEverywhere(t *testing.T) {
	service := func(key byte) *Service {
		return NewService(Config{Keys: password.Keys{Current: bytes.Repeat([]byte{key}, password.MinKeyBytes)}})
	}
	one, two, other := service(1), service(1), service(2)
	const top = 1 << 20
	if a, b := one.standIn("xyz", top), two.standIn("XYZ", top); a != b {
		t.Errorf("%d on one server and %d on another", a, b)
	}
	if one.standIn("xyz", top) == other.standIn("xyz", top) || one.standIn("xyz", top) == one.standIn("zyx", top) {
		t.Error("another key, or another name, makes no difference")
	}
}

// Stand-ins are spread evenly, and one more member takes the names of its own
// share alone: no name's time changes back and forth.
func TestStandInsStay(t *testing.T) {
	const keys, places = 20_000, 40
	count := make([]int, places)
	for i := range uint64(keys) {
		key := i * 0x9E3779B97F4A7C15
		before := jump(key, 1)
		if before != 0 {
			t.Fatalf("of one place: %d", before)
		}
		for n := int64(2); n <= places; n++ {
			after := jump(key, n)
			if after != before && after != n-1 {
				t.Fatalf("%d moves from %d to %d as %d comes", key, before, after, n-1)
			}
			before = after
		}
		count[before]++
	}
	for place, n := range count {
		if n < keys/places*8/10 || n > keys/places*12/10 {
			t.Errorf("place %d has %d of %d keys", place, n, keys)
		}
	}
	for _, n := range []int64{mostStandIns - 1, mostStandIns} {
		if place := jump(1<<63, n); place < 0 || place >= n {
			t.Errorf("of %d places: %d", n, place)
		}
	}
}
