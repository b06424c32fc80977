package connectors

// An Attr is the name of a backend attribute as the configuration spells it: an
// LDAP attribute description ("mail", RFC 4512 §2.5) or a JSON Pointer into a
// REST object ("/login"). Drivers return attributes under the spelling that
// they were asked with, whatever the backend's own is.
type Attr string

// A Value is one attribute value in the backend's own textual or binary form,
// held as bytes in a string. The empty Value is never stored: an attribute
// without values is absent.
type Value string

// An Anchor is what the backend uses as its most durable identifier for one
// object (objectGUID, entryUUID, nsUniqueId, a REST id): opaque bytes, compared
// byte by byte.
type Anchor string

// A Stamp is a backend's own version of an entry (entryCSN, an HTTP ETag). It
// means nothing outside the driver that made it; "" is no stamp.
type Stamp string

// A Target is an object that a reference attribute names. Collection is the
// name of the collection that the object belongs to.
type Target struct {
	Collection string
	Anchor     Anchor
}

// A Field is one attribute of an entry with its values. A reference attribute
// (see Collection in the drivers) has Refs and no Values: the targets that lie
// in a collection the attribute may point into. Values that name nothing, or
// something outside those collections, are left out.
type Field struct {
	Attr   Attr
	Values []Value
	Refs   []Target
	// Partial says that the backend gave only some of the values. A partial
	// field must never be replaced, nor a version made from it.
	Partial bool
}

// Empty reports whether the field has no value at all.
func (f Field) Empty() bool { return len(f.Values) == 0 && len(f.Refs) == 0 }

// An Entry is one backend object as it was read: the attributes that were asked
// for and are present, each at most once.
type Entry struct {
	Anchor Anchor
	Stamp  Stamp
	Fields []Field
}

// Field returns the named attribute, or an empty field if it is absent.
func (e Entry) Field(a Attr) Field {
	for i := range e.Fields {
		if e.Fields[i].Attr == a {
			return e.Fields[i]
		}
	}
	return Field{Attr: a}
}

// A Draft is an object to be created. Fields include the naming attribute and
// whatever constants the mapping adds; Name says which attribute names the new
// object among its siblings (the RDN's, in LDAP).
type Draft struct {
	Name   Attr
	Fields []Field
	Place  Place // where the object is made; see Change.Place
}

// Field returns the named attribute of the draft, or an empty field.
func (d Draft) Field(a Attr) Field { return Entry{Fields: d.Fields}.Field(a) }
