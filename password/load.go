package password

// Load returns how many passwords are being hashed, and how many callers wait for it.
func (h *Hasher) Load() (working, waiting int) {
	working = len(h.gate.slots)
	return working, max(len(h.gate.tickets)-working, 0)
}

// Busy reports whether a caller would get ErrBusy just now. Whoever has work to
// do before it hashes asks first, since that work would be for nothing.
func (h *Hasher) Busy() bool { return h.gate.full() }
