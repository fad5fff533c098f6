package password

import "context"

// Load returns how many passwords are being hashed, and how many callers wait for it.
func (h *Hasher) Load() (working, waiting int) {
	h.limiter.mu.Lock()
	defer h.limiter.mu.Unlock()
	return h.limiter.working, h.limiter.waiting()
}

// Announce lets a caller in that looks at a token first and hashes a password
// if it is a good one, with a Share that is vouched for then. Error: ErrBusy if
// that would come too late, with those who wait to hash and those who were
// announced before: then the look would be for nothing. Until withdraw is called
// the caller keeps a place from others of its client, and takes one of others'
// at most for each of their own, so that bad tokens don't keep good ones out. Of
// those with one token, one hashes at most: they have a place together.
func (h *Hasher) Announce(ctx context.Context, token TokenHash) (withdraw func(), err error) {
	return h.limiter.announce(shareOf(ctx).Client, string(token[:]))
}

// Run does other costly work about passwords, such as estimating their
// strength, within the same limits. Errors: ErrBusy, and the context's.
func (h *Hasher) Run(ctx context.Context, work func()) error {
	return h.limiter.do(ctx, work)
}
