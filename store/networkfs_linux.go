package store

import "syscall"

// networkName tells file systems by the number that statfs gives them
// (linux/magic.h).
func networkName(magic uint32) string {
	switch magic {
	case 0x6969:
		return "NFS"
	case 0xFF534D42, 0xFE534D42, 0x517B:
		return "SMB"
	case 0x01021997:
		return "9P"
	case 0x00C36400:
		return "Ceph"
	case 0x5346414F, 0x6B414653:
		return "AFS"
	case 0x47504653:
		return "GPFS"
	}
	return ""
}

// networkFS returns the name of the network file system that a folder is on, "" for none.
func networkFS(dir string) (string, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return "", err
	}
	return networkName(uint32(fs.Type)), nil
}
