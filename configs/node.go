package configs

import "strconv"

// Kind is the shape of a node.
type Kind int

// The kinds of node. Null is a key with nothing after it, or ~, or null.
const (
	Null Kind = iota
	Scalar
	List
	Mapping
)

// String names the kind as messages do.
func (k Kind) String() string {
	switch k {
	case Scalar:
		return "a single value"
	case List:
		return "a list"
	case Mapping:
		return "a map"
	default:
		return "nothing"
	}
}

// scalarType is what a plain scalar looks like to YAML. Quoted scalars are always text.
type scalarType int

const (
	typeText scalarType = iota
	typeBool
	typeInt
	typeFloat
)

func (t scalarType) String() string {
	switch t {
	case typeBool:
		return "true or false"
	case typeInt, typeFloat:
		return "a number"
	default:
		return "text"
	}
}

// Node is a value in a configuration file. A nil *Node stands for an absent key: its Map is
// empty and its scalar methods give values that are not Set.
//
// A node remembers which keys of a map have been asked for, so that several rooms may decode
// parts of one map; it is not safe for concurrent use.
type Node struct {
	pos    Pos
	kind   Kind
	text   string
	typ    scalarType
	broken bool // reported already: it satisfies every type, as the zero value
	parent *Node
	name   string // key in the parent map
	index  int    // index in the parent list, when name is empty and parent is a list

	items   []*Node
	entries []*entry
	byKey   map[string]*entry
	asked   []string // the keys that were asked for, for hints
}

// entry is one key of a map with its value.
type entry struct {
	key   string
	pos   Pos
	value *Node
	taken bool
}

// Pos is where the value begins.
func (n *Node) Pos() Pos {
	if n == nil {
		return Pos{}
	}
	return n.pos
}

// Kind is the shape of the value; an absent one is Null.
func (n *Node) Kind() Kind {
	if n == nil {
		return Null
	}
	return n.kind
}

// Path is the way from the root, as in "resources.User.objectClass[0]"; the root's is empty.
func (n *Node) Path() string {
	if n == nil || n.parent == nil {
		return ""
	}
	if n.parent.kind == List {
		return n.parent.Path() + "[" + strconv.Itoa(n.index) + "]"
	}
	return joinPath(n.parent.Path(), n.name)
}

func joinPath(parent, key string) string {
	if parent == "" {
		return key
	}
	return parent + "." + key
}

// Problem makes a problem at the place of the node.
func (n *Node) Problem(format string, args ...any) Problem {
	return problemAt(n.Pos(), n.Path(), format, args...)
}
