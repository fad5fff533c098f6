package password

import (
	"compress/gzip"
	_ "embed" // for the list
	"fmt"
	"io"
	"strings"
)

// commonGzip holds common passwords, one a line, A-Z folded, sorted by bytes.
// NOTICE says where they are from.
//
//go:generate go run gen_common.go
//go:embed common.txt.gz
var commonGzip string

// unpackCommon returns the list as text. A list that can't be unpacked is a
// fault of the build.
func unpackCommon() string {
	z, err := gzip.NewReader(strings.NewReader(commonGzip))
	if err != nil {
		panic(fmt.Sprintf("password: open the list of common passwords: %v", err))
	}
	var b strings.Builder
	if _, err := io.Copy(&b, z); err != nil { //nolint:gosec // the list is our own
		panic(fmt.Sprintf("password: unpack the list of common passwords: %v", err))
	}
	return b.String()
}

// hasLine reports whether a sorted text has the line; by bisection, since a
// slice of the lines would take more memory than the text.
func hasLine(sorted, line string) bool {
	lo, hi := 0, len(sorted)
	for lo < hi {
		mid := (lo + hi) / 2
		start := strings.LastIndexByte(sorted[:mid], '\n') + 1
		end := mid + strings.IndexByte(sorted[mid:], '\n')
		switch strings.Compare(sorted[start:end], line) {
		case 0:
			return true
		case -1:
			lo = end + 1
		default:
			hi = start
		}
	}
	return false
}
