//go:build unix

package main

import "syscall"

// private has what fn makes belong to its owner alone from the first moment.
func private(fn func() error) error {
	before := syscall.Umask(0o177)
	defer syscall.Umask(before)
	return fn()
}
