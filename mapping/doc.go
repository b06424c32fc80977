// Package mapping turns SCIM into what a backend holds and back: a declarative
// list of rules is compiled into a Mapping, which projects entries to
// resources, plans the fewest changes that a PATCH or PUT asks for, lowers
// filters to conditions and makes versions. All of it is pure: a Mapping does no
// I/O, starts no goroutine and never changes after Compile.
//
// A rule is a two-way lens between one SCIM path and one backend attribute. Two
// laws hold: reading what was written gives it back, and writing what was read
// plans nothing. What no rule covers is never written.
package mapping
