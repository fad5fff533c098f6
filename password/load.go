package password

import "context"

// Load returns how many passwords are being hashed, and how many callers wait for it.
func (h *Hasher) Load() (working, waiting int) {
	h.limiter.mu.Lock()
	defer h.limiter.mu.Unlock()
	return h.limiter.working, h.limiter.waiting()
}

// Busy reports whether a caller with the context's Share would get ErrBusy just
// now. A caller with work to do before it hashes asks first, since that work
// would be for nothing.
func (h *Hasher) Busy(ctx context.Context) bool { return h.limiter.busy(shareOf(ctx)) }

// Run does other costly work about passwords, such as estimating their
// strength, within the same limits. Errors: ErrBusy, and the context's.
func (h *Hasher) Run(ctx context.Context, work func()) error {
	return h.limiter.do(ctx, work)
}
