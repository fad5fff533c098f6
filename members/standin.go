package members

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"

	"reseed/password"
)

// hashOf returns the hash that a sign-in is verified by: the member's, and
// another member's for a name that nobody has, and for a member who has no
// password yet. Hashes from elsewhere (bcrypt, or argon2id at another cost) take
// other times than those made here, so names of strangers must take each of
// these times as often as names of members do.
func (s *Service) hashOf(ctx context.Context, name string, found Found) (password.Hash, error) {
	other, err := s.Registry.HashNear(ctx, s.standIn(name, found.Top))
	if err != nil {
		return "", err
	}
	if found.Member.Password == "" {
		return other, nil
	}
	return found.Member.Password, nil
}

// mostStandIns bounds the ids that jump computes with.
const mostStandIns = 1 << 31

// standIn picks whose hash stands in for a name that nobody has. A name whose
// time changes would give itself away: the choice is the same on every server
// that has the key, and after a restart.
func (s *Service) standIn(name string, top int64) int64 {
	mac := hmac.New(sha256.New, s.Keys.Derive("stand-ins"))
	mac.Write([]byte(Fold(name)))
	return jump(binary.BigEndian.Uint64(mac.Sum(nil)), min(top+1, mostStandIns))
}

// jump spreads keys evenly over the places from 0 to below n. One more place
// takes its share of the keys, and all others stay where they are (jump
// consistent hashing, by Lamping and Veach).
func jump(key uint64, n int64) int64 {
	place := int64(0)
	for next := place; next < n; {
		place = next
		key = key*2862933555777941757 + 1
		next = int64(float64(place+1) * mostStandIns / float64(key>>33+1))
	}
	return place
}
