package idstore

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"
)

// How an export is written: JSON Lines. The first line is a header, the last says how many lines of each kind there are, and
// between them come entities, spent ids, intents, operations and work. The numbers of entities are in it, since the
// history speaks of them: an export is for administrators alone.
const (
	exportFormat  = "postern identity table"
	exportVersion = 2 // version 2 brought retired entities, and is an export of version 1 without them
)

// Transferred says how many lines of each kind an export has.
type Transferred struct {
	Entities   int `json:"entities"`
	SpentIDs   int `json:"spentIds"`
	Intents    int `json:"intents"`
	Operations int `json:"operations"`
	Work       int `json:"work"`
}

// line is any line of an export; one field is set.
type line struct {
	Header    *header        `json:"header,omitempty"`
	Entity    *recordLine    `json:"entity,omitempty"`
	Spent     *spentLine     `json:"spentId,omitempty"`
	Intent    *intentLine    `json:"intent,omitempty"`
	Operation *operationLine `json:"operation,omitempty"`
	Work      *workLine      `json:"work,omitempty"`
	End       *Transferred   `json:"end,omitempty"`
}

// header says what follows, and how far the numbers have been given out: none is given out twice, also after an import.
type header struct {
	Format     string `json:"format"`
	Version    int    `json:"version"`
	Entities   uint64 `json:"lastEntity"`
	Intents    uint64 `json:"lastIntent"`
	Operations uint64 `json:"lastOperation"`
	Work       uint64 `json:"lastWork"`
}

type recordLine struct {
	Entity      EntityID       `json:"entity"`
	Type        string         `json:"type"`
	Created     time.Time      `json:"created"`
	Links       []anchorPart   `json:"links"` // the primary one first
	IDs         []idPart       `json:"ids"`
	ExternalIDs []externalPart `json:"externalIds"`
	Retired     bool           `json:"retired,omitempty"`
}

type anchorPart struct {
	Backend string `json:"backend"`
	Key     opaque `json:"key"`
}

type idPart struct {
	Domain Domain   `json:"domain"`
	ID     PublicID `json:"id"`
	Alias  bool     `json:"alias,omitempty"`
}

type externalPart struct {
	Domain Domain `json:"domain"`
	Value  opaque `json:"value"`
	Alias  bool   `json:"alias,omitempty"`
}

// spentLine is a tombstone, or without a type a reservation.
type spentLine struct {
	ID      PublicID  `json:"id"`
	Type    string    `json:"type,omitempty"`
	Domain  Domain    `json:"domain,omitempty"`
	Deleted time.Time `json:"deleted,omitzero"`
}

type intentLine struct {
	ID         IntentID     `json:"id"`
	Kind       IntentKind   `json:"kind"`
	Type       string       `json:"type"`
	IDs        Domain       `json:"idDomain"`
	Externals  Domain       `json:"externalIdDomain"`
	Entity     EntityID     `json:"entity"`
	Public     *PublicID    `json:"publicId,omitempty"`
	Backend    string       `json:"backend,omitempty"`
	Anchors    []anchorPart `json:"anchors,omitempty"`
	Name       opaque       `json:"name,omitempty"`
	ExternalID opaque       `json:"externalId,omitempty"`
	Begun      time.Time    `json:"begun"`
	Who        opaque       `json:"who,omitempty"`
	Why        opaque       `json:"why,omitempty"`
}

type operationLine struct {
	ID        OperationID    `json:"id"`
	Kind      OperationKind  `json:"kind"`
	Who       opaque         `json:"who"`
	Why       opaque         `json:"why"`
	When      time.Time      `json:"when"`
	Changes   []changePart   `json:"changes"`
	Leftovers []leftoverPart `json:"leftovers,omitempty"`
	Undoes    OperationID    `json:"undoes,omitempty"`
	UndoneBy  OperationID    `json:"undoneBy,omitempty"`
}

type changePart struct {
	Before *recordLine `json:"before"`
	After  *recordLine `json:"after"`
}

type leftoverPart struct {
	anchorPart
	Action Action        `json:"action"`
	State  LeftoverState `json:"state"`
	At     time.Time     `json:"at,omitzero"`
}

type workLine struct {
	ID WorkID `json:"id"`
	anchorPart
	Action    Action      `json:"action"`
	Operation OperationID `json:"operation,omitempty"`
	Queued    time.Time   `json:"queued"`
	Next      time.Time   `json:"next"`
	Taken     bool        `json:"taken,omitempty"`
	Held      bool        `json:"held,omitempty"`
	Attempts  int         `json:"attempts,omitempty"`
	LastError opaque      `json:"lastError,omitempty"`
}

// opaque is text that may be any bytes: in JSON a string where it is UTF-8, else an object with its base64.
type opaque string

// MarshalJSON writes either form.
func (o opaque) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(o)) {
		return json.Marshal(string(o))
	}
	return json.Marshal(map[string]string{"base64": base64.StdEncoding.EncodeToString([]byte(o))})
}

// UnmarshalJSON reads either form.
func (o *opaque) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*string)(o))
	}
	var object struct {
		Base64 *string `json:"base64"`
	}
	if err := json.Unmarshal(b, &object); err != nil {
		return err
	}
	if object.Base64 == nil {
		return fmt.Errorf("neither a string nor {\"base64\": …}: %w", ErrInvalid)
	}
	raw, err := base64.StdEncoding.DecodeString(*object.Base64)
	*o = opaque(raw)
	return err
}

// MarshalText is the canonical form.
func (id PublicID) MarshalText() ([]byte, error) { return id.AppendText(nil), nil }

// UnmarshalText reads what ParsePublicID does.
func (id *PublicID) UnmarshalText(b []byte) error {
	parsed, ok := ParsePublicID(string(b))
	if !ok {
		return fmt.Errorf("%q is no public id: %w", b, ErrInvalid)
	}
	*id = parsed
	return nil
}

// The kinds and states are words in JSON.

// MarshalText is the kind in words.
func (k IntentKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the kind.
func (k *IntentKind) UnmarshalText(b []byte) error { return word(b, k, Create, Retire) }

// MarshalText is the kind in words.
func (k OperationKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the kind.
func (k *OperationKind) UnmarshalText(b []byte) error {
	return word(b, k, OperationMerge, OperationUndo)
}

// MarshalText is the action in one word.
func (a Action) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads the action.
func (a *Action) UnmarshalText(b []byte) error { return word(b, a, ActionKeep, ActionDelete) }

// MarshalText is the state in one word.
func (s LeftoverState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the state.
func (s *LeftoverState) UnmarshalText(b []byte) error {
	return word(b, s, LeftoverPending, LeftoverCancelled)
}

// word finds which of the values from first to last a word is.
func word[T interface {
	~uint8
	String() string
}](b []byte, value *T, first, last T) error {
	for v := first; v <= last; v++ {
		if v.String() == string(b) {
			*value = v
			return nil
		}
	}
	return fmt.Errorf("%q is none of the words for it: %w", b, ErrInvalid)
}
