package mail

import "time"

// Backoff is a schedule of growing delays.
type Backoff struct {
	First time.Duration // the first delay
	Max   time.Duration // the longest
}

// Delay returns the delay after so many failures before this one: First,
// doubled each time, at most Max, less up to a fifth of it by chance (from 0 up
// to 1), so that many waiters don't come back at once. It never shrinks as
// failures grow, and it counts in integers, so that no number overflows.
func (b Backoff) Delay(failures int, chance float64) time.Duration {
	d := min(b.First, b.Max)
	for range failures {
		if d > b.Max/2 {
			d = b.Max
			break
		}
		d *= 2
	}
	fifth := d / 5
	return d - min(max(time.Duration(float64(fifth)*chance), 0), fifth)
}
