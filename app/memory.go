package app

import (
	"os"
	"runtime/debug"
)

// headroom is memory that is reserved and never touched, so that the machine has
// none less for it.
var headroom []byte

// Together they are a collection for each 80 MiB that were made, or a quarter of
// what is in use if that is more.
const (
	headroomSize    = 320 << 20
	headroomPercent = 25
)

// reserveHeadroom has garbage collected less often, and at an even pace. A heap
// that holds 8 MiB, as a server's does, would be collected for each password that
// is hashed, which takes 19 MiB; the memory would be given back and fetched again
// page by page, at a fault or two each. Measured on two cores, without and with:
// requests took 0.72 and 0.56 ms of CPU, new passwords 41 and 27 of which the hash
// itself is 24. With 64 MiB and Go's 100 % it is 30, since the heap's goal swings
// by what is being hashed. An operator's own GOGC or GOMEMLIMIT stands.
func reserveHeadroom() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" || headroom != nil {
		return
	}
	headroom = make([]byte, headroomSize)
	debug.SetGCPercent(headroomPercent)
}
