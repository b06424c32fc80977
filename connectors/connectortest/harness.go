// Package connectortest proves that a driver keeps the contract of package
// connectors. A driver's test describes a backend in a Harness and calls Run:
//
//	func TestSuite(t *testing.T) {
//		server := start(t)
//		connectortest.Run(t, connectortest.Harness{
//			Open: func(t *testing.T, o connectortest.Options) connectortest.Opened { ... },
//			Users: connectortest.Users{
//				Collection: "Users", Naming: "uid", Plain: "displayName", Other: "employeeNumber", Multi: "description",
//				Draft: func(name connectors.Value) connectors.Draft { ... },
//			},
//			Groups: connectortest.Groups{
//				Collection: "Groups", Naming: "cn", Ref: "member",
//				Draft: func(name connectors.Value) connectors.Draft { ... },
//			},
//		})
//	}
//
// What a driver does not declare in its Capabilities, and what a harness leaves
// empty, is skipped; nothing is skipped by the name of a driver or a server. A
// driver that can work with capabilities switched off calls Run once for each.
package connectortest

import (
	"testing"

	"postern/connectors"
)

// A Harness is a backend for the suite to work on. The backend may hold other
// objects. The suite's own have names that begin with a random prefix, and it
// deletes them in the end.
type Harness struct {
	// Open connects to the backend. It is called several times in a run; all
	// that it returns must lead to the same backend, except that a backend that
	// lives in the test's memory may be a new one each time. It fails the test
	// itself when it can not.
	Open func(t *testing.T, o Options) Opened

	Users  Users
	Groups Groups

	// RenamesKeepReferences says that references to an object follow when it is
	// renamed, by the backend or by the driver.
	RenamesKeepReferences bool

	// Throwaway says that the backend is thrown away after the run, and spares
	// the suite to delete what it made.
	Throwaway bool

	// Crowd is the number of members of the large group; 0 is 2,000.
	Crowd int

	// Seed repeats the random choices of a run that failed; 0 takes a new one,
	// which a failure prints.
	Seed uint64
}

// Options are what the suite asks of Open.
type Options struct {
	// PageSize is how many entries the driver asks for at a time; 0 is its
	// default. A driver without pages ignores it.
	PageSize int
}

// Opened is an open backend.
type Opened struct {
	Users, Groups connectors.Connector

	// RivalUsers and RivalGroups are a second writer: connectors to the same
	// collections that share no connection and no cache with the first.
	RivalUsers, RivalGroups connectors.Connector

	// Close closes all of them; nil if there is nothing to close. Afterwards no
	// goroutine may be left that was started since Open was called, also none of
	// the harness: a proxy for Break and Stall is made once, before Run.
	Close func() error

	// Break makes the backend unreachable until the returned function is
	// called; nil if that can not be done.
	Break func() (mend func())

	// Stall makes the backend take requests and answer none until the returned
	// function is called; nil if that can not be done.
	Stall func() (release func())

	// Plant puts values into the group's reference attribute, past the driver,
	// that name nothing or something outside of the collections that the
	// attribute may point into; nil if that can not be done.
	Plant func(t *testing.T, group connectors.Anchor)
}

// Users describes the collection of users. Attributes marked optional may be
// left empty, which skips what needs them.
type Users struct {
	// Collection is the name of the collection in a Target.
	Collection string

	// Draft makes a draft with what the backend demands of a user. The name is
	// the value of the naming attribute and may hold any character, up to 40 of
	// them. What else must be unique (sAMAccountName) is new in each draft, also
	// in two of one name. The draft holds none of the attributes below other
	// than Naming.
	Draft func(name connectors.Value) connectors.Draft

	// Refuses says which names the backend does not take, though they hold
	// characters only: the suite then demands Invalid, and nothing left behind.
	// Nil is none.
	Refuses func(name connectors.Value) bool

	Naming connectors.Attr // names the object
	Plain  connectors.Attr // at most one string of up to 250 characters, any of them
	Other  connectors.Attr // another one like Plain
	Multi  connectors.Attr // several strings, any characters

	Exact   connectors.Attr // optional: one string whose case counts
	Integer connectors.Attr // optional: one integer of 32 bits
	Boolean connectors.Attr // optional: one boolean
	Time    connectors.Attr // optional: one generalizedTime
	Binary  connectors.Attr // optional: one value of any bytes
	Long    connectors.Attr // optional: one string of up to LongLength characters
	Unique  connectors.Attr // optional: no two users have the same; a string

	// LongLength is the length of the longest value; 0 is 100,000.
	LongLength int

	// Ref is a reference to another user (manager); optional.
	Ref connectors.Attr
	// Reverse is computed from Groups.Ref (memberOf); optional.
	Reverse connectors.Attr

	// Places are two containers in which users may lie, Containers the same two as
	// a Mover is told them, and NoPlace is one that is not there; optional, and only
	// for drivers that declare Places.
	Places     [2]connectors.Place
	Containers [2]string
	NoPlace    connectors.Place

	// Secret can be written and not be read (a password); optional. Secrets are
	// two values that the backend accepts for it.
	Secret  connectors.Attr
	Secrets [2]connectors.Value
}

// Groups describes the collection of groups.
type Groups struct {
	Collection string
	// Draft makes a draft without members. See Users.
	Draft  func(name connectors.Value) connectors.Draft
	Naming connectors.Attr
	// Ref holds the members: users, and groups if Nested.
	Ref    connectors.Attr
	Nested bool
}
