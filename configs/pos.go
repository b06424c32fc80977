package configs

import "strconv"

// Pos is a place in a configuration file. Line and Col count from 1, Col in characters; a Line
// of 0 stands for the file as a whole.
type Pos struct {
	File string
	Line int
	Col  int
}

// String gives file:line:col, or the file alone for the file as a whole.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Col)
}

// At is a value together with the place it was written at. When the key is absent, Set is
// false, Value is the zero value, Pos is that of the map that lacks the key, and Path is where
// the key would be. When the value was written but is wrong, Set is true, Value is the zero
// value, and the problem has been reported.
type At[T any] struct {
	Value T
	Pos   Pos
	Path  string // "resources.User.map.userName"
	Set   bool
}

// Or gives the value, or def when the key is absent.
func (a At[T]) Or(def T) T {
	if a.Set {
		return a.Value
	}
	return def
}

// Problem makes a problem at the place of the value.
func (a At[T]) Problem(format string, args ...any) Problem {
	return problemAt(a.Pos, a.Path, format, args...)
}
