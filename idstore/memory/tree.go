package memory

import (
	"bytes"
	"math/rand/v2"

	"postern/idstore"
)

// node is the root of a treap: ordered by key, and a heap by rank, which is random, so that the tree is balanced whatever
// the order of insertion. A change copies the nodes from the root to where it is made; a node in a tree never changes. The nil
// node is the empty tree.
type node struct {
	row         idstore.Row
	rank        uint32
	left, right *node
}

func (n *node) get(key []byte) []byte {
	for n != nil {
		switch c := bytes.Compare(key, n.row.Key); {
		case c < 0:
			n = n.left
		case c > 0:
			n = n.right
		default:
			return n.row.Value
		}
	}
	return nil
}

// seek returns the row with the least key that is not less than key.
func (n *node) seek(key []byte) (row idstore.Row) {
	for n != nil {
		if bytes.Compare(key, n.row.Key) > 0 {
			n = n.right
			continue
		}
		row, n = n.row, n.left
	}
	return row
}

// put returns the tree with the row in it. It copies key and keeps value.
func (n *node) put(key, value []byte) *node {
	if n == nil {
		return &node{row: idstore.Row{Key: bytes.Clone(key), Value: value}, rank: rand.Uint32()}
	}
	changed := *n
	switch c := bytes.Compare(key, n.row.Key); {
	case c < 0:
		// What put returns is new, so it may be turned over here.
		child := n.left.put(key, value)
		if child.rank > n.rank {
			changed.left, child.right = child.right, &changed
			return child
		}
		changed.left = child
	case c > 0:
		child := n.right.put(key, value)
		if child.rank > n.rank {
			changed.right, child.left = child.left, &changed
			return child
		}
		changed.right = child
	default:
		changed.row.Value = value
	}
	return &changed
}

// without returns the tree without the row of key.
func (n *node) without(key []byte) *node {
	if n == nil {
		return nil
	}
	changed := *n
	switch c := bytes.Compare(key, n.row.Key); {
	case c < 0:
		changed.left = n.left.without(key)
	case c > 0:
		changed.right = n.right.without(key)
	default:
		return join(n.left, n.right)
	}
	return &changed
}

// join returns the tree of both, where every key of left is less than every key of right.
func join(left, right *node) *node {
	switch {
	case left == nil:
		return right
	case right == nil:
		return left
	case left.rank > right.rank:
		changed := *left
		changed.right = join(left.right, right)
		return &changed
	}
	changed := *right
	changed.left = join(left, right.left)
	return &changed
}

// walk yields the rows whose keys begin with prefix, in order, and tells whether to go on with greater keys.
func (n *node) walk(prefix []byte, yield func(idstore.Row) bool) bool {
	if n == nil {
		return true
	}
	if bytes.Compare(n.row.Key, prefix) < 0 {
		return n.right.walk(prefix, yield)
	}
	return n.left.walk(prefix, yield) && bytes.HasPrefix(n.row.Key, prefix) && yield(n.row) && n.right.walk(prefix, yield)
}
