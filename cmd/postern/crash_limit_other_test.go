//go:build !unix

package main

import "errors"

func limitFile(string, string) error { return errors.New("this system limits no files") }
