//go:build linux || darwin

package main

import "syscall"

// limitFiles lets no file of this process be written beyond a size, as on a disk
// that is full; 0 takes the limit away.
func limitFiles(size uint64) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	limit.Cur = limit.Max
	if size > 0 {
		limit.Cur = size
	}
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)
}

// limitsFiles says that this system can be made to limit files.
const limitsFiles = true
