package wire

import "fmt"

// The object identifiers of the answers to a search with the sync request control (RFC 4533
// §2.3 to §2.5).
const (
	controlSyncState = "1.3.6.1.4.1.4203.1.9.1.2"
	syncInfoMessage  = "1.3.6.1.4.1.4203.1.9.1.4"
)

// AppendSync appends a critical sync request control. An empty cookie asks for the whole
// content; with persist the search goes on with what changes.
func AppendSync(b []byte, persist bool, cookie string) []byte {
	const refreshOnly, refreshAndPersist = 1, 3
	b, o := BeginControl(b, ControlSync, true)
	b, seq := Begin(b, TagSequence)
	if persist {
		b = AppendInt(b, TagEnumerated, refreshAndPersist)
	} else {
		b = AppendInt(b, TagEnumerated, refreshOnly)
	}
	if cookie != "" {
		b = AppendString(b, TagOctetString, cookie)
	}
	return EndControl(End(b, seq), o)
}

// A SyncKind says what a message in answer to a sync search tells.
type SyncKind uint8

const (
	SyncEntry        SyncKind = iota // one entry, in State
	SyncIDs                          // entries that are there, or with Deletes that are not
	SyncCookie                       // a cookie alone
	SyncDeletePhase                  // the end of a phase in which what is gone was named
	SyncPresentPhase                 // the end of a phase in which what is there was named
)

// A SyncState is what an entry is said to be (RFC 4533 §2.3).
type SyncState int

const (
	SyncPresent SyncState = iota // there, and unchanged
	SyncAdd
	SyncModify
	SyncDelete
)

// A Sync is one message in answer to a sync search.
type Sync struct {
	Kind    SyncKind
	State   SyncState
	Entry   Entry
	UUIDs   []string // of 16 bytes; one of an entry
	Deletes bool
	Done    bool   // of the end of a phase: the content is complete, and changes follow
	Cookie  string // "" is none
}

// uuidSize is the length of a syncUUID in bytes.
const uuidSize = 16

// ParseSync reads one of the messages of a Stream. ok is false for an intermediate response of
// another kind.
func ParseSync(message string) (s Sync, ok bool, err error) {
	r := NewReader(message)
	tag, content := r.Any()
	if r.Err() == nil && tag == opIntermediate {
		s, ok, err = parseSyncInfo(content)
	} else if r.Err() == nil {
		var controls Controls
		if r.More() && r.Peek() == tagControls {
			controls = Controls(r.Read(tagControls))
		}
		ok = true
		if s, err = parseSyncState(controls); err == nil {
			s.Entry, err = parseEntry(content)
		}
	}
	if err == nil {
		err = r.Err()
	}
	if err != nil {
		return Sync{}, false, fmt.Errorf("sync message: %w", err)
	}
	return s, ok, nil
}

// parseSyncState reads the control that comes with an entry.
func parseSyncState(controls Controls) (Sync, error) {
	value, ok := controls.Value(controlSyncState)
	if !ok {
		return Sync{}, fmt.Errorf("an entry without its state: %w", errBER)
	}
	r := NewReader(value)
	seq := r.Sub(TagSequence)
	s := Sync{Kind: SyncEntry, State: SyncState(seq.Int(TagEnumerated)), UUIDs: []string{seq.Read(TagOctetString)}}
	if seq.More() {
		s.Cookie = seq.Read(TagOctetString)
	}
	if seq.Err() == nil && (s.State < SyncPresent || s.State > SyncDelete || len(s.UUIDs[0]) != uuidSize) {
		seq.Fail()
	}
	return s, seq.Err()
}

// parseSyncInfo reads the content of an intermediate response.
func parseSyncInfo(content string) (s Sync, ok bool, err error) {
	const (
		tagName, tagValue          = 0x80, 0x81
		newCookie                  = 0x80
		refreshDelete              = 0xa1
		refreshPresent, tagIDSet   = 0xa2, 0xa3
		defaultDone, defaultDelete = true, false
	)
	op := NewReader(content)
	if op.Peek() != tagName || op.Read(tagName) != syncInfoMessage {
		return s, false, op.Err()
	}
	r := NewReader(op.Read(tagValue))
	tag, value := r.Any()
	seq := NewReader(value)
	cookie := func() {
		if seq.Peek() == TagOctetString {
			s.Cookie = seq.Read(TagOctetString)
		}
	}
	flag := func(missing bool) bool {
		if seq.Peek() == TagBoolean {
			return seq.Bool(TagBoolean)
		}
		return missing
	}
	switch tag {
	case newCookie:
		s.Kind, s.Cookie = SyncCookie, value
		seq = NewReader("")
	case refreshDelete, refreshPresent:
		s.Kind = SyncDeletePhase
		if tag == refreshPresent {
			s.Kind = SyncPresentPhase
		}
		cookie()
		s.Done = flag(defaultDone)
	case tagIDSet:
		s.Kind = SyncIDs
		cookie()
		s.Deletes = flag(defaultDelete)
		for set := seq.Sub(TagSet); set.More(); {
			id := set.Read(TagOctetString)
			if len(id) != uuidSize {
				seq.Fail()
			}
			s.UUIDs = append(s.UUIDs, id)
		}
	default:
		r.Fail()
	}
	if op.Err() != nil || r.Err() != nil {
		return Sync{}, false, errBER
	}
	return s, true, seq.Err()
}
