package password

import (
	"os"

	"golang.org/x/sys/unix"
)

// readOnlyMount reports whether a file's file system is mounted read-only.
func readOnlyMount(f *os.File) bool {
	var s unix.Statfs_t
	return unix.Fstatfs(int(f.Fd()), &s) == nil && s.Flags&unix.ST_RDONLY != 0
}
