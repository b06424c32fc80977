//go:build unix

package main

import (
	"os"
	"strconv"
	"syscall"
)

// limitFile lets files of this process grow by no more than some bytes beyond what
// this one has now, as on a disk that is about to be full; "" takes the limit away.
func limitFile(path, more string) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	limit.Cur = limit.Max
	if more != "" {
		n, err := strconv.ParseUint(more, 10, 64)
		if err != nil {
			return err
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		limit.Cur = uint64(info.Size()) + n
	}
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)
}
