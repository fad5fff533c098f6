package password

// Load returns how many passwords are being hashed, and how many callers wait for it.
func (h *Hasher) Load() (working, waiting int) {
	working = len(h.gate.slots)
	return working, max(len(h.gate.tickets)-working, 0)
}
