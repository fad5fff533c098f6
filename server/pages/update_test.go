package pages

import (
	"flag"
)

// There is nothing to rewrite here, but go test ./... -update tells every package.
var _ = flag.Bool("update", false, "ignored")
