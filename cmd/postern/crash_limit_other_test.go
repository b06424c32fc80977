//go:build !linux && !darwin

package main

import "errors"

func limitFiles(uint64) error { return errors.New("this system limits no files") }

// limitsFiles says that this system can not.
const limitsFiles = false
