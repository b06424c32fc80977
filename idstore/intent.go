package idstore

import (
	"fmt"
	"time"
)

// IntentID names an intent. Later intents have greater ids.
type IntentID uint64

// IntentKind says what the backend is about to be told.
type IntentKind uint8

// The kinds of intent.
const (
	Create IntentKind = iota + 1
	Delete
	Rename
	Retire // as Delete, of an entity whose objects are kept: they are changed, and nobody sees them from then on
)

// String is the kind in lower case.
func (k IntentKind) String() string {
	switch k {
	case Create:
		return "create"
	case Delete:
		return "delete"
	case Rename:
		return "rename"
	case Retire:
		return "retire"
	}
	return "unknown"
}

// Intent says that a write of the backend may be under way. It is durable before that write begins and is removed, by
// Bind, Remove or Drop, once the table agrees with what became of it. After a crash whoever finds an open intent looks at
// the backend and does one of the three.
type Intent struct {
	ID         IntentID // set by Begin
	Kind       IntentKind
	Scope      Scope
	Entity     EntityID // of a Create: reserved by Begin
	Public     PublicID // of a Create: reserved by Begin, fresh where zero; of the others: the id that the request used
	Backend    string
	Anchors    []Anchor // of a Delete or a Retire: its objects, all links of the entity where nil; of the others: optional
	Name       string   // opaque: what the backend object of a Create or a Rename can be found by, what a Retire does to it
	ExternalID string   // of a Create: what the entity will be called in Scope.Externals
	Begun      time.Time
	Who, Why   string // of a Delete or a Retire: what the history is to say of it
}

// Begin records an intent and returns it with what it reserved. The entity and the public id of a Create are given to
// nobody else; ErrTaken says that the public id that it asks for is. The entity of the other kinds has to exist: ErrNotFound.
func Begin(tx Tx, in Intent) (Intent, error) {
	if err := in.check(); err != nil {
		return Intent{}, err
	}
	in.Begun = in.Begun.UTC().Truncate(time.Millisecond)
	if in.Begun.UnixMilli() <= 0 {
		in.Begun = now()
	}
	var err error
	if in.Kind == Create {
		err = in.reserve(tx)
	} else {
		err = in.concern(tx)
	}
	if err != nil {
		return Intent{}, err
	}
	id, err := next(tx, metaIntent, 1)
	if err != nil {
		return Intent{}, err
	}
	in.ID = IntentID(id)
	return in, putIntent(tx, in)
}

// check tells whether a store can hold the intent.
func (in *Intent) check() error {
	if err := in.Scope.check(); err != nil {
		return err
	}
	switch {
	case in.Kind < Create || in.Kind > Retire:
		return fmt.Errorf("an intent of no known kind: %w", ErrInvalid)
	case in.Kind == Create && in.Entity != 0:
		return fmt.Errorf("an intent to create an entity that there is: %w", ErrInvalid)
	}
	for _, a := range in.Anchors {
		if err := a.check(); err != nil {
			return err
		}
	}
	if err := checkText("the name of an intent", in.Name); err != nil {
		return err
	}
	if err := checkText("the name of who wants it", in.Who); err != nil {
		return err
	}
	if err := checkText("the reason", in.Why); err != nil {
		return err
	}
	return checkText("an externalId", in.ExternalID)
}

// reserve takes the entity and the public id of a Create.
func (in *Intent) reserve(tx Tx) error {
	if in.Public.IsZero() {
		id, err := freshID(tx)
		if err != nil {
			return err
		}
		in.Public = id
	} else if taken, err := known(tx, in.Public); err != nil {
		return err
	} else if taken {
		return fmt.Errorf("id %q: %w", in.Public.String(), ErrTaken)
	}
	e, err := next(tx, metaEntity, 1)
	if err != nil {
		return err
	}
	in.Entity = EntityID(e)
	return reserveID(tx, in.Public)
}

// concern checks the entity of an intent that creates none.
func (in *Intent) concern(tx Tx) error {
	r, err := entityRecord(tx, in.Entity)
	if err != nil {
		return err
	}
	if r.Entity == 0 || r.Type != in.Scope.Type {
		return fmt.Errorf("entity: %w", ErrNotFound)
	}
	if (in.Kind == Delete || in.Kind == Retire) && in.Anchors == nil {
		for _, l := range r.Links {
			in.Anchors = append(in.Anchors, l.Anchor)
		}
	}
	return nil
}

// Drop forgets an intent: what it was about was not done, or, for a Rename, is over either way. The public id that a
// Create had reserved means nothing any more. Dropping an intent that is not open returns ErrNotFound.
func Drop(tx Tx, id IntentID) error {
	in, err := intent(tx, id)
	if err != nil {
		return err
	}
	if in.Kind == Create {
		if err := releaseID(tx, in.Public); err != nil {
			return err
		}
	}
	return deleteIntent(tx, in)
}

// Bind ends an intent to create: the backend object is there and a is its anchor. It returns the record that the client
// is to be told, and ErrNotFound where the intent is not open.
//
// A list may have met the object between its creation and Bind, and adopted it; its id may have been told to a client,
// the reserved one can not have been. So the adopted entity wins: it takes over the externalId, and the reserved public
// id only where it has none in the scope, and the reservation is given up. Adopted meanwhile means that the entity is
// later than the one reserved. An anchor of an earlier entity, of a retired one, or of one of another type, is not what this create made:
// ErrTaken, and the intent stays open.
func Bind(tx Tx, id IntentID, a Anchor) (Record, error) {
	in, err := intent(tx, id)
	if err != nil {
		return Record{}, err
	}
	if in.Kind != Create {
		return Record{}, fmt.Errorf("an intent to %s can not be bound: %w", in.Kind, ErrInvalid)
	}
	if err := a.check(); err != nil {
		return Record{}, err
	}
	backend, err := tx.Names().intern(tx, kindBackend, a.Backend)
	if err != nil {
		return Record{}, err
	}
	r, err := byAnchor(tx, backend, a)
	if err != nil {
		return Record{}, err
	}
	switch {
	case r.Entity == 0:
		r = Record{
			Entity:  in.Entity,
			Type:    in.Scope.Type,
			Links:   []Link{{Anchor: a, Primary: true}},
			Created: in.Begun,
		}
		index := postings{tx: tx, table: TableAnchors}
		err = index.add([]posting{newPosting(textHash(backend, a.Key), r.Entity)})
	case r.Entity < in.Entity || r.Type != in.Scope.Type || r.Retired:
		err = fmt.Errorf("the object that was created: %w", ErrTaken)
	}
	if err != nil {
		return Record{}, err
	}
	if r, err = in.settle(tx, r); err != nil {
		return Record{}, err
	}
	return r, deleteIntent(tx, in)
}

// settle gives the record what its clients were to get, and writes it.
func (in *Intent) settle(tx Tx, r Record) (Record, error) {
	was := r
	if err := releaseID(tx, in.Public); err != nil {
		return Record{}, err
	}
	if r.lacksID(in.Scope) {
		r.IDs = append(r.IDs, ID{Domain: in.Scope.IDs, Public: in.Public})
		index := postings{tx: tx, table: TablePublicIDs}
		if err := index.add([]posting{idPosting(in.Public, r.Entity)}); err != nil {
			return Record{}, err
		}
	}
	if in.ExternalID != "" && in.ExternalID != r.ExternalID(in.Scope.Externals) {
		var err error
		if r, err = withExternalID(tx, r, in.Scope.Externals, in.ExternalID); err != nil {
			return Record{}, err
		}
	}
	if err := countMerged(tx, was, r); err != nil {
		return Record{}, err
	}
	return r, putRecord(tx, r)
}
