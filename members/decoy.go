package members

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/reseed-project/reseed/fold"
	"github.com/reseed-project/reseed/password"
)

// hashOf returns the hash that a sign-in is verified by: the member's, and
// another member's for an unknown name, and for a member who has no password
// yet. Hashes from elsewhere take other times than those made here; what that
// leaves to see behind the answer, which is evened out, must be seen of unknown
// names as often as of members.
func (s *Service) hashOf(ctx context.Context, name string, found Found) (password.Hash, error) {
	other, err := s.Store.DecoyHash(ctx, s.decoyNumber(name))
	if err != nil {
		return "", err
	}
	if found.Member.Password == "" {
		return other, nil
	}
	return found.Member.Password, nil
}

// decoyNumber picks whose hash an unknown name is verified by: the same on every
// server that has the key, and after a restart.
func (s *Service) decoyNumber(name string) uint64 {
	mac := hmac.New(sha256.New, s.Keys.Derive("decoys"))
	mac.Write([]byte(fold.ASCII(name)))
	return binary.BigEndian.Uint64(mac.Sum(nil))
}

// sampledHashes is how many hashes are looked at to learn what kinds there are.
const sampledHashes = 200

// LearnHashes looks at a sample of the stored password hashes and verifies one
// of each kind, so that refused sign-ins take the same time from the start on.
// Kinds that the sample misses are learned when one is first used. Call it in
// the background, after a start and after an import.
func (s *Service) LearnHashes(ctx context.Context) error {
	var sample []password.Hash
	for i := range sampledHashes {
		hash, err := s.Store.DecoyHash(ctx, s.decoyNumber(fmt.Sprint(i)))
		if err != nil {
			return fmt.Errorf("learn what kinds of hashes there are: %w", err)
		}
		sample = append(sample, hash)
	}
	if err := s.Hasher.Learn(ctx, sample); err != nil && !errors.Is(err, password.ErrBusy) {
		return fmt.Errorf("learn what kinds of hashes there are: %w", err)
	}
	return nil
}
