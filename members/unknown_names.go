package members

import (
	"crypto/sha256"
	"sync"

	"github.com/reseed-project/reseed/fold"
)

// maxUnknownNames bounds how many names that no member has are remembered, about
// twice that many at most.
const maxUnknownNames = 4096

// unknownNames remembers the failed sign-ins of names that no member has, so that
// what follows them (the order of a mail, which is dropped) is what follows those
// of members. The zero value is ready to use.
type unknownNames struct {
	mu       sync.Mutex
	new, old map[[sha256.Size]byte]Member
}

func (s *unknownNames) get(name string) Member {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := nameKey(name)
	if m, ok := s.new[key]; ok {
		return m
	}
	return s.old[key]
}

func (s *unknownNames) set(name string, m Member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.new == nil || len(s.new) >= maxUnknownNames {
		s.new, s.old = map[[sha256.Size]byte]Member{}, s.new
	}
	s.new[nameKey(name)] = m
}

// nameKey is what a name that somebody signs in with goes by.
func nameKey(name string) [sha256.Size]byte { return sha256.Sum256([]byte(fold.ASCII(name))) }
