package idstore

import (
	"fmt"
	"time"
	"unicode/utf8"
)

// EntityID is the key of an entity inside the table. It is private: it never appears in a response, an error or a log
// line at info level. Later entities have greater keys, and no key is used twice. Zero is no entity.
type EntityID uint64

// Domain is the provisioning domain of a SCIM client (RFC 7643 §3.1). The empty domain is the one shared by all.
type Domain string

// Anchor is what a backend uses as its most durable identifier for one object. Key is opaque bytes.
type Anchor struct {
	Backend string
	Key     string
}

// words name the object to an administrator: a client is never told.
func (a Anchor) words() string {
	key := a.Key
	if !utf8.ValidString(key) {
		return fmt.Sprintf("%x of backend %q", key, a.Backend)
	}
	return fmt.Sprintf("%q of backend %q", key, a.Backend)
}

// Link ties an entity to one backend object.
type Link struct {
	Anchor
	Primary bool
}

// ID is one public id of an entity. An alias is accepted from clients and never shown to them.
type ID struct {
	Domain Domain
	Public PublicID
	Alias  bool
}

// ExternalID is what the clients of one domain call an entity (RFC 7643 §3.1). One value in each domain is shown to them. A merge
// may leave others, aliases, by which they find the entity too.
type ExternalID struct {
	Domain Domain
	Value  string
	Alias  bool
}

// Record is one entity: one thing that clients see as one resource. Its slices belong to whoever received it, and a
// change in them changes nothing in the store.
type Record struct {
	Entity      EntityID
	Type        string // the resource type
	Links       []Link // the primary one first
	IDs         []ID   // in the order in which they were given
	ExternalIDs []ExternalID
	Created     time.Time // when the entity was first seen or begun; UTC, milliseconds
	// Retired says that the entity was deleted and its objects are kept in their backend. It has no ids and no externalIds, and gets
	// none: no client sees it, and its objects belong to nobody else. An undo of the deletion brings it back.
	Retired bool
}

// PublicID returns the id by which the clients of domain d know the entity, and the shared one where d has none of its
// own.
func (r Record) PublicID(d Domain) (PublicID, bool) {
	if id, ok := r.ownID(d); ok {
		return id, true
	}
	return r.ownID("")
}

// linked tells whether the entity is linked to a.
func (r Record) linked(a Anchor) bool {
	for _, l := range r.Links {
		if l.Anchor == a {
			return true
		}
	}
	return false
}

// ownID returns the primary id in exactly the domain d.
func (r Record) ownID(d Domain) (PublicID, bool) {
	for _, id := range r.IDs {
		if id.Domain == d && !id.Alias {
			return id.Public, true
		}
	}
	return PublicID{}, false
}

// hasID tells whether id names the entity in exactly the domain d, as an alias or not.
func (r Record) hasID(d Domain, id PublicID) bool {
	for _, own := range r.IDs {
		if own.Public == id && own.Domain == d {
			return true
		}
	}
	return false
}

// ExternalID returns what the clients of exactly the domain d call the entity and are shown, or "".
func (r Record) ExternalID(d Domain) string {
	for _, x := range r.ExternalIDs {
		if x.Domain == d && !x.Alias {
			return x.Value
		}
	}
	return ""
}

// called tells whether the clients of exactly the domain d call the entity value, as what they are shown or as an alias.
func (r Record) called(d Domain, value string) bool {
	for _, x := range r.ExternalIDs {
		if x.Domain == d && x.Value == value {
			return true
		}
	}
	return false
}

// Anchor returns the anchor of the primary link, or the zero anchor where the entity has no link.
func (r Record) Anchor() Anchor {
	for _, l := range r.Links {
		if l.Primary {
			return l.Anchor
		}
	}
	return Anchor{}
}
