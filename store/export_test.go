package store

import "context"

// CausalReads reports whether a session's reads are causal.
func (s *Store) CausalReads(ctx context.Context) (bool, error) {
	found := map[string]string{}
	err := s.settings(ctx, causalReads, found)
	return found["wsrep_sync_wait"] == "1", err
}
