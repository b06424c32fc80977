// Package demodir is a small LDAP directory in memory that behaves like
// OpenLDAP: for a demonstration without a server, and for tests of what speaks
// LDAP. It has a schema, real filters, atomic modifications, the controls that
// a careful client uses (paged results, assertion, pre-read, post-read,
// dereference), memberOf, and references that follow the entries they name.
//
// It differs from OpenLDAP in what it leaves out: attribute options, aliases,
// referrals, SASL, access control lists, and anything on disk. Passwords are
// kept as they were set.
package demodir

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Options say how a directory is set up.
type Options struct {
	// Suffix is the name that every entry is under; DefaultSuffix where empty.
	Suffix string
	// BindDN names who may do everything, whether there is such an entry or
	// not. Others may read all but passwords once they are bound with a
	// userPassword. Where it is empty, nobody has to bind.
	BindDN       string
	BindPassword string
	// Unique lists attributes of which no two entries may hold an equal value;
	// a second one is refused with constraintViolation (19).
	Unique []string
	// Now is the clock; time.Now where nil.
	Now func() time.Time
}

// DefaultSuffix is the suffix of Company.
const DefaultSuffix = "dc=example,dc=com"

// Directory is a directory. It is safe for concurrent use.
type Directory struct {
	schema   *schema
	suffix   dn
	root     dn // who may do everything; no RDN where nobody has to bind
	password string
	unique   []*attributeType
	now      func() time.Time
	subentry *node
	// broken is what is wrong with the options: Load and Serve say it.
	broken error

	mu     sync.RWMutex
	byDN   map[string]*node
	index  map[posting][]*node
	nextID uint64
	stamp  time.Time // of the newest change, in microseconds
	count  int       // of the changes that have this stamp
}

// node is the place of an entry in the tree, the same through every change.
type node struct {
	id       uint64
	entry    *entry // nil once it is deleted
	parent   *node
	children []*node // by id
}

// posting is one value of an indexed attribute.
type posting struct {
	typ  *attributeType
	norm string
}

func byID(a, b *node) int { return cmp.Compare(a.id, b.id) }

// New returns a directory without entries, not even one for its suffix.
func New(o Options) *Directory {
	d := &Directory{
		schema:   newSchema(),
		password: o.BindPassword,
		now:      o.Now,
		byDN:     map[string]*node{},
		index:    map[posting][]*node{},
	}
	if d.now == nil {
		d.now = time.Now
	}
	d.suffix, d.broken = d.schema.parseDN(cmp.Or(o.Suffix, DefaultSuffix))
	if root, err := d.schema.parseDN(o.BindDN); err != nil {
		d.broken = cmp.Or(d.broken, fmt.Errorf("bind DN: %w", err))
	} else {
		d.root = root
	}
	for _, name := range o.Unique {
		t := d.schema.attribute(name)
		if t == nil || !t.indexed {
			d.broken = cmp.Or(d.broken, fmt.Errorf("attribute %q can not be held unique", name))
			continue
		}
		d.unique = append(d.unique, t)
	}
	d.subentry = d.describeSchema()
	return d
}

// Load adds entries, parents first, as an add request by BindDN would. An
// entryUUID may be among the attributes.
func (d *Directory) Load(entries []Entry) error {
	if d.broken != nil {
		return d.broken
	}
	for _, e := range entries {
		draft, err := d.newEntry(e, true)
		if err == nil {
			_, err = d.add(draft, d.root, controls{})
		}
		if err != nil {
			return fmt.Errorf("entry %q: %w", e.DN, err)
		}
	}
	return nil
}

// attribute returns an attribute of a node, also one that is not kept but
// follows from the tree; nil where it has none. The lock is held.
func (d *Directory) attribute(n *node, t *attributeType) *attribute {
	one := func(value, norm string) *attribute { return &attribute{t, []string{value}, []string{norm}} }
	switch t {
	case d.schema.memberOf:
		return d.groups(n)
	case d.schema.entryDN:
		return one(n.entry.dn.text, n.entry.dn.norm)
	case d.schema.subschema:
		return one(d.subentry.entry.dn.text, d.subentry.entry.dn.norm)
	case d.schema.hasSubordinates:
		if len(n.children) > 0 {
			return one("TRUE", "TRUE")
		}
		return one("FALSE", "FALSE")
	}
	return n.entry.find(t)
}

// groups returns memberOf: the names of the groups that have the entry as a
// member, not those that have such a group.
func (d *Directory) groups(n *node) *attribute {
	groups := d.index[posting{d.schema.member, n.entry.dn.norm}]
	if len(groups) == 0 {
		return nil
	}
	a := &attribute{typ: d.schema.memberOf}
	for _, g := range groups {
		a.values = append(a.values, g.entry.dn.text)
		a.norms = append(a.norms, g.entry.dn.norm)
	}
	return a
}

// locate returns the node with this name, or noSuchObject with the name of the
// nearest entry above it (RFC 4511 §4.1.9). The lock is held.
func (d *Directory) locate(name dn) (*node, error) {
	if n := d.byDN[name.norm]; n != nil {
		return n, nil
	}
	missing := &fault{code: noSuchObject}
	for above := name; len(above.rdns) > 0; above = above.parent() {
		if n := d.byDN[above.norm]; n != nil {
			missing.matched = n.entry.dn.text
			break
		}
	}
	return nil, missing
}

// name parses the name of an entry in a request.
func (d *Directory) name(text string) (dn, error) {
	name, err := d.schema.parseDN(text)
	if err != nil {
		return name, refuse(invalidDNSyntax, "%v", err)
	}
	return name, nil
}

// replace puts a new state in the place of an entry and sets the indices right;
// nil deletes. The names stay as they are. The write lock is held.
func (d *Directory) replace(n *node, next *entry) {
	for _, t := range d.schema.attributes {
		if !t.indexed {
			continue
		}
		var before, after []string
		if n.entry != nil {
			if a := n.entry.find(t); a != nil {
				before = a.norms
			}
		}
		if next != nil {
			if a := next.find(t); a != nil {
				after = a.norms
			}
		}
		// What two states of a long list have in common at its ends, which is
		// most of it as a rule, needs no look at the index.
		for len(before) > 0 && len(after) > 0 && before[0] == after[0] {
			before, after = before[1:], after[1:]
		}
		for len(before) > 0 && len(after) > 0 && before[len(before)-1] == after[len(after)-1] {
			before, after = before[:len(before)-1], after[:len(after)-1]
		}
		for _, norm := range before {
			p := posting{t, norm}
			if left := without(d.index[p], n); len(left) > 0 {
				d.index[p] = left
			} else {
				delete(d.index, p)
			}
		}
		for _, norm := range after {
			p := posting{t, norm}
			d.index[p] = with(d.index[p], n)
		}
	}
	n.entry = next
}

// with and without return a list of nodes, sorted by id, with one more or less,
// in the place of the list that was.
func with(list []*node, n *node) []*node {
	at, found := slices.BinarySearchFunc(list, n, byID)
	if found {
		return list
	}
	return slices.Insert(list, at, n)
}

func without(list []*node, n *node) []*node {
	at, found := slices.BinarySearchFunc(list, n, byID)
	if !found {
		return list
	}
	return slices.Delete(list, at, at+1)
}

// touch writes into a draft who has changed it and when, and its new version:
// entryCSN never repeats and never falls, whatever the clock does.
func (d *Directory) touch(e *entry, who dn) {
	if now := d.now().UTC().Truncate(time.Microsecond); now.After(d.stamp) {
		d.stamp, d.count = now, 0
	} else if d.count++; d.count > 0xffffff {
		d.stamp, d.count = d.stamp.Add(time.Microsecond), 0
	}
	csn := fmt.Sprintf("%s#%06x#000#000000", d.stamp.Format("20060102150405.000000Z"), d.count)
	e.put(d.operational(d.schema.entryCSN, csn))
	e.put(d.operational(d.schema.modifyTime, d.stamp.Format("20060102150405Z")))
	e.put(d.operational(d.schema.modifier, who.text))
}

// operational returns an attribute that the directory sets by itself; without a
// value where there is none to set, as the name of who has not bound.
func (d *Directory) operational(t *attributeType, value string) attribute {
	if value == "" {
		return attribute{typ: t}
	}
	return attribute{t, []string{value}, []string{t.normal(value)}}
}

// create marks a draft as a new entry.
func (d *Directory) create(e *entry, who dn) {
	if e.find(d.schema.entryUUID) == nil {
		e.put(d.operational(d.schema.entryUUID, uuid.NewString()))
	}
	d.touch(e, who)
	e.put(d.operational(d.schema.creator, who.text))
	e.put(d.operational(d.schema.createTime, e.find(d.schema.modifyTime).values[0]))
}
