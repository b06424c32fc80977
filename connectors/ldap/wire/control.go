package wire

// The object identifiers of the controls that the connector sends or reads.
const (
	ControlAssertion  = "1.3.6.1.1.12"              // RFC 4528
	ControlPostRead   = "1.3.6.1.1.13.2"            // RFC 4527
	ControlPaging     = "1.2.840.113556.1.4.319"    // RFC 2696
	ControlExtendedDN = "1.2.840.113556.1.4.529"    // [MS-ADTS] §3.1.1.3.4.1.5
	ControlPermissive = "1.2.840.113556.1.4.1413"   // [MS-ADTS] §3.1.1.3.4.1.8
	ControlSync       = "1.3.6.1.4.1.4203.1.9.1.1"  // RFC 4533 §2.2
	controlDeleted    = "1.2.840.113556.1.4.417"    // [MS-ADTS] §3.1.1.3.4.1.14
	ControlPolicy     = "1.3.6.1.4.1.42.2.27.8.5.1" // draft-behera-ldap-password-policy-10 §6
	ControlRights     = "1.3.6.1.4.1.42.2.27.9.5.2" // draft-ietf-ldapext-acl-model-08 §9, as 389-DS has it
)

// BeginControls begins the controls of a message, which follow its operation.
func BeginControls(b []byte) ([]byte, int) { return Begin(b, tagControls) }

// EndControls closes what BeginControls began, or removes it if it is empty.
func EndControls(b []byte, mark int) []byte {
	if len(b) == mark {
		return b[:mark-2]
	}
	return End(b, mark)
}

// BeginControl begins a control with a value, which follows as BER; then EndControl.
func BeginControl(b []byte, oid string, critical bool) ([]byte, Open) {
	b, control := Begin(b, TagSequence)
	b = AppendString(b, TagOctetString, oid)
	if critical {
		b = AppendBool(b, TagBoolean, true)
	}
	b, value := Begin(b, TagOctetString)
	return b, Open{control, value}
}

// EndControl closes what BeginControl began.
func EndControl(b []byte, o Open) []byte { return EndOp(b, o) }

// AppendAssertion appends a critical assertion control with an encoded filter.
func AppendAssertion(b, filter []byte) []byte {
	b, o := BeginControl(b, ControlAssertion, true)
	return EndControl(append(b, filter...), o)
}

// AppendPostRead appends a post-read control for the attributes in the lists.
// It is not critical: an answer without it is an answer.
func AppendPostRead[T ~string](b []byte, attrs ...[]T) []byte {
	b, o := BeginControl(b, ControlPostRead, false)
	b, list := Begin(b, TagSequence)
	for _, as := range attrs {
		for _, a := range as {
			if a != "" {
				b = AppendString(b, TagOctetString, a)
			}
		}
	}
	return EndControl(End(b, list), o)
}

// AppendPaging appends a critical paged results control.
func AppendPaging(b []byte, size int, cookie string) []byte {
	b, o := BeginControl(b, ControlPaging, true)
	b, seq := Begin(b, TagSequence)
	b = AppendInt(b, TagInteger, int64(size))
	b = AppendString(b, TagOctetString, cookie)
	return EndControl(End(b, seq), o)
}

// AppendExtendedDN appends an extended DN control that asks for GUIDs as the
// hexadecimal digits of their bytes.
func AppendExtendedDN(b []byte) []byte {
	b, o := BeginControl(b, ControlExtendedDN, true)
	b, seq := Begin(b, TagSequence)
	b = AppendInt(b, TagInteger, 0)
	return EndControl(End(b, seq), o)
}

// AppendPermissive appends a permissive modify control, which has no value.
func AppendPermissive(b []byte) []byte {
	b, control := Begin(b, TagSequence)
	b = AppendString(b, TagOctetString, ControlPermissive)
	return End(b, control)
}

// AppendPolicy appends a password policy request control, which has no value and
// is not critical: the answer then says why a password was refused.
func AppendPolicy(b []byte) []byte {
	b, control := Begin(b, TagSequence)
	b = AppendString(b, TagOctetString, ControlPolicy)
	return End(b, control)
}

// AppendRights appends a critical Get Effective Rights control, which asks for the
// rights of an authorization identity (RFC 4513 §5.2.1.8). Its value is no BER.
func AppendRights(b []byte, authzID string) []byte {
	b, o := BeginControl(b, ControlRights, true)
	return EndControl(append(b, authzID...), o)
}

// AppendShowDeleted appends a critical control that makes deleted objects visible.
func AppendShowDeleted(b []byte) []byte {
	b, control := Begin(b, TagSequence)
	b = AppendString(b, TagOctetString, controlDeleted)
	return End(AppendBool(b, TagBoolean, true), control)
}

// Controls are the controls of one received message, encoded.
type Controls string

// Value returns the value of the control with the oid.
func (c Controls) Value(oid string) (string, bool) {
	r := NewReader(string(c))
	for r.More() {
		control := r.Sub(TagSequence)
		if control.Read(TagOctetString) != oid {
			continue
		}
		if control.Peek() == TagBoolean {
			control.Bool(TagBoolean)
		}
		value := ""
		if control.More() {
			value = control.Read(TagOctetString)
		}
		return value, control.Err() == nil
	}
	return "", false
}

// Cookie returns the cookie of a paged results control; "" is the last page.
func (c Controls) Cookie() (string, error) {
	value, ok := c.Value(ControlPaging)
	if !ok {
		return "", nil
	}
	r := NewReader(value)
	seq := r.Sub(TagSequence)
	seq.Int(TagInteger)
	cookie := seq.Read(TagOctetString)
	return cookie, seq.Err()
}

// PostRead returns the entry in a post-read control.
func (c Controls) PostRead() (Entry, bool) {
	value, ok := c.Value(ControlPostRead)
	if !ok {
		return Entry{}, false
	}
	r := NewReader(value)
	tag, content := r.Any()
	// RFC 4527 §3.2 has a SearchResultEntry here; OpenLDAP gives its content as a SEQUENCE.
	if r.Err() != nil || (tag != opSearchEntry && tag != TagSequence) {
		return Entry{}, false
	}
	e, err := parseEntry(content)
	return e, err == nil
}

// The errors of a password policy response control
// (draft-behera-ldap-password-policy-10 §6.2) that are about a new password.
const (
	PolicyNotAllowed = 3
	PolicyQuality    = 5
	PolicyTooShort   = 6
	PolicyTooYoung   = 7
	PolicyInHistory  = 8
	PolicyTooLong    = 9 // of later drafts
)

// PolicyError returns the error in a password policy response control.
func (c Controls) PolicyError() (int, bool) {
	value, ok := c.Value(ControlPolicy)
	if !ok || value == "" {
		return 0, false
	}
	r := NewReader(value)
	seq := r.Sub(TagSequence)
	for seq.More() {
		const tagError = 0x81
		if seq.Peek() == tagError {
			n := seq.Int(tagError)
			return int(n), seq.Err() == nil
		}
		seq.Any()
	}
	return 0, false
}
