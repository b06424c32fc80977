package demodir

import (
	"slices"
	"strings"
)

// schema is what the directory knows of attributes and object classes: those of
// RFC 4519, RFC 2798 and RFC 2307 that people, groups and the containers above
// them need, named and numbered as in OpenLDAP.
type schema struct {
	syntaxes   []*syntax
	rules      []*rule
	attributes []*attributeType
	classes    []*objectClass
	byName     map[string]*attributeType
	classNames map[string]*objectClass

	// The attributes that the directory itself has business with.
	objectClass, userPassword, lockedTime          *attributeType
	entryUUID, entryCSN, entryDN, member, memberOf *attributeType
	structuralClass, hasSubordinates, subschema    *attributeType
	createTime, modifyTime, creator, modifier      *attributeType
}

// attributeType is an attribute type of RFC 4512 §2.5.1. Types are compared by
// their address.
type attributeType struct {
	oid    string
	names  []string
	key    string // the first name in lower case
	syntax *syntax
	// The rules are nil where the type has none: RFC 4511 §4.5.1.7 makes an
	// assertion that needs one Undefined.
	equality, ordering, substrings *rule

	single      bool
	operational bool // USAGE is not userApplications
	fixed       bool // NO-USER-MODIFICATION
	indexed     bool
}

// objectClass is an object class of RFC 4512 §2.4.
type objectClass struct {
	oid   string
	name  string
	key   string // the name in lower case
	kind  string // ABSTRACT, STRUCTURAL or AUXILIARY
	super *objectClass
	must  []*attributeType
	may   []*attributeType
}

func newSchema() *schema {
	s := &schema{byName: map[string]*attributeType{}, classNames: map[string]*objectClass{}}
	s.addSyntaxes()
	s.addRules()
	s.addAttributes()
	s.addClasses()
	s.objectClass, s.userPassword, s.lockedTime = s.attribute("objectClass"), s.attribute("userPassword"), s.attribute("pwdAccountLockedTime")
	s.entryUUID, s.entryCSN, s.entryDN = s.attribute("entryUUID"), s.attribute("entryCSN"), s.attribute("entryDN")
	s.member, s.memberOf = s.attribute("member"), s.attribute("memberOf")
	s.structuralClass, s.hasSubordinates, s.subschema = s.attribute("structuralObjectClass"), s.attribute("hasSubordinates"), s.attribute("subschemaSubentry")
	s.createTime, s.modifyTime = s.attribute("createTimestamp"), s.attribute("modifyTimestamp")
	s.creator, s.modifier = s.attribute("creatorsName"), s.attribute("modifiersName")
	return s
}

// attribute returns the type that has this name or object identifier, nil where
// there is none. Attribute options (RFC 4512 §2.5.2) are not kept here, so that
// a description with one names no type.
func (s *schema) attribute(description string) *attributeType {
	if t, ok := s.byName[description]; ok {
		return t
	}
	return s.byName[strings.ToLower(description)]
}

// class returns the class that has this name or object identifier, nil where
// there is none.
func (s *schema) class(name string) *objectClass { return s.classNames[strings.ToLower(name)] }

func (t *attributeType) name() string { return t.names[0] }

// isReference holds for the types whose values are names of entries and follow
// these when they are renamed or deleted.
func (t *attributeType) isReference() bool {
	return t.equality != nil && t.equality.name == "distinguishedNameMatch" && !t.fixed
}

// normal returns the normal form of a value that has passed check. A type
// without an equality rule is matched octet by octet.
func (t *attributeType) normal(value string) string {
	if t.equality == nil {
		return value
	}
	normal, _ := t.equality.normal(value, whole)
	return normal
}

// is holds where the class is the other or inherits from it.
func (c *objectClass) is(other *objectClass) bool {
	for ; c != nil; c = c.super {
		if c == other {
			return true
		}
	}
	return false
}

func (c *objectClass) requires(t *attributeType) bool {
	for ; c != nil; c = c.super {
		if slices.Contains(c.must, t) {
			return true
		}
	}
	return false
}

func (c *objectClass) allows(t *attributeType) bool {
	for ; c != nil; c = c.super {
		if slices.Contains(c.must, t) || slices.Contains(c.may, t) {
			return true
		}
	}
	return false
}
