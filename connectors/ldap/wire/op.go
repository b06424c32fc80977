package wire

// The tags of the protocolOps (RFC 4511 §4.2 to §4.12).
const (
	opBind              = 0x60
	opBindResponse      = 0x61
	opUnbind            = 0x42
	opSearch            = 0x63
	opSearchEntry       = 0x64
	opSearchDone        = 0x65
	opModify            = 0x66
	opModifyResponse    = 0x67
	opAdd               = 0x68
	opAddResponse       = 0x69
	opDelete            = 0x4a
	opDeleteResponse    = 0x6b
	opModifyDN          = 0x6c
	opModifyDNResponse  = 0x6d
	opAbandon           = 0x50
	opSearchReference   = 0x73
	opExtended          = 0x77
	opExtendedResponse  = 0x78
	opIntermediate      = 0x79
	tagControls         = 0xa0
	tagReferral         = 0xa3
	tagSimplePassword   = 0x80
	tagSASL             = 0xa3
	tagSASLReply        = 0x87
	tagNewSuperior      = 0x80
	tagExtendedName     = 0x80
	tagExtendedValue    = 0x81
	tagUserIdentity     = 0x80
	tagNewPassword      = 0x82
	tagExtendedOIDReply = 0x8a
	tagExtendedReply    = 0x8b
)

// answers returns the tag of the response that ends an operation.
func answers(op byte) byte {
	switch op {
	case opSearch:
		return opSearchDone
	case opDelete:
		return opDeleteResponse
	default:
		return op + 1
	}
}

// Target returns the DN of the entry that an encoded request is about, or ""
// for one that does not name it so.
func Target(body []byte) string {
	r := NewReader(string(body))
	switch tag, content := r.Any(); tag {
	case opDelete:
		return content
	case opSearch, opModify, opAdd, opModifyDN:
		op := NewReader(content)
		return op.Read(TagOctetString)
	}
	return ""
}

// A Scope is how far below its base a search goes (RFC 4511 §4.5.1.2).
type Scope byte

const (
	BaseObject Scope = iota
	SingleLevel
	WholeSubtree
)

// The operations of one change of a Modify (RFC 4511 §4.6).
const (
	ModifyAdd     = 0
	ModifyDelete  = 1
	ModifyReplace = 2
)

// A Search is a search request without its attributes. Filter is encoded.
type Search struct {
	Base      string
	Scope     Scope
	SizeLimit int
	Filter    []byte
}

// AppendSearch appends a SearchRequest for the attributes in the given lists.
// With none at all, only the entries' DNs come back ("1.1", RFC 4511 §4.5.1.8).
func AppendSearch[T ~string](b []byte, s Search, attrs ...[]T) []byte {
	b, op := Begin(b, opSearch)
	b = AppendString(b, TagOctetString, s.Base)
	b = AppendInt(b, TagEnumerated, int64(s.Scope))
	b = AppendInt(b, TagEnumerated, 0) // neverDerefAliases
	b = AppendInt(b, TagInteger, int64(s.SizeLimit))
	b = AppendInt(b, TagInteger, 0) // no time limit: the context has it
	b = AppendBool(b, TagBoolean, false)
	b = append(b, s.Filter...)
	b, list := Begin(b, TagSequence)
	for _, as := range attrs {
		for _, a := range as {
			if a != "" {
				b = AppendString(b, TagOctetString, a)
			}
		}
	}
	if len(b) == list {
		b = AppendString(b, TagOctetString, "1.1")
	}
	return End(End(b, list), op)
}

// AppendBind appends a BindRequest with the simple method.
func AppendBind(b []byte, dn, password string) []byte {
	b, op := Begin(b, opBind)
	b = AppendInt(b, TagInteger, 3)
	b = AppendString(b, TagOctetString, dn)
	b = AppendString(b, tagSimplePassword, password)
	return End(b, op)
}

// AppendSASLBind appends a BindRequest with a SASL mechanism and what the client
// has to say in this step of it (RFC 4511 §4.2), which may be empty.
func AppendSASLBind(b []byte, mechanism, credentials string) []byte {
	b, op := Begin(b, opBind)
	b = AppendInt(b, TagInteger, 3)
	b = AppendString(b, TagOctetString, "")
	b, sasl := Begin(b, tagSASL)
	b = AppendString(b, TagOctetString, mechanism)
	b = AppendString(b, TagOctetString, credentials)
	return End(End(b, sasl), op)
}

// AppendAttribute appends a PartialAttribute or an Attribute of an AddRequest.
func AppendAttribute[T ~string](b []byte, name string, values []T) []byte {
	b, attr := Begin(b, TagSequence)
	b = AppendString(b, TagOctetString, name)
	b, set := Begin(b, TagSet)
	for _, v := range values {
		b = AppendString(b, TagOctetString, v)
	}
	return End(End(b, set), attr)
}

// BeginAdd begins an AddRequest; its attributes follow, then EndOp.
func BeginAdd(b []byte, dn string) ([]byte, Open) {
	return beginEntryOp(b, opAdd, dn)
}

// BeginModify begins a ModifyRequest; its changes follow, then EndOp.
func BeginModify(b []byte, dn string) ([]byte, Open) {
	return beginEntryOp(b, opModify, dn)
}

// Open is a request that is being appended: EndOp closes it.
type Open struct{ op, list int }

func beginEntryOp(b []byte, tag byte, dn string) ([]byte, Open) {
	b, op := Begin(b, tag)
	b = AppendString(b, TagOctetString, dn)
	b, list := Begin(b, TagSequence)
	return b, Open{op, list}
}

// EndOp closes what BeginAdd or BeginModify began.
func EndOp(b []byte, o Open) []byte { return End(End(b, o.list), o.op) }

// AppendChange appends one change of a ModifyRequest.
func AppendChange[T ~string](b []byte, operation int, name string, values []T) []byte {
	b, change := Begin(b, TagSequence)
	b = AppendInt(b, TagEnumerated, int64(operation))
	b = AppendAttribute(b, name, values)
	return End(b, change)
}

// AppendDelete appends a DelRequest.
func AppendDelete(b []byte, dn string) []byte { return AppendString(b, opDelete, dn) }

// AppendModifyDN appends a ModifyDNRequest. deleteOld takes the values of the
// old RDN away. The entry stays under its parent if newSuperior is "".
func AppendModifyDN(b []byte, dn, newRDN string, deleteOld bool, newSuperior string) []byte {
	b, op := Begin(b, opModifyDN)
	b = AppendString(b, TagOctetString, dn)
	b = AppendString(b, TagOctetString, newRDN)
	b = AppendBool(b, TagBoolean, deleteOld)
	if newSuperior != "" {
		b = AppendString(b, tagNewSuperior, newSuperior)
	}
	return End(b, op)
}

// AppendExtended appends an ExtendedRequest without a value.
func AppendExtended(b []byte, name string) []byte {
	b, op := Begin(b, opExtended)
	b = AppendString(b, tagExtendedName, name)
	return End(b, op)
}

// ExtensionPasswordModify is the name of the Password Modify operation.
const ExtensionPasswordModify = "1.3.6.1.4.1.4203.1.11.1"

// AppendPasswordModify appends a Password Modify request (RFC 3062 §2) that gives
// the entry a password, whatever the old one is.
func AppendPasswordModify(b []byte, dn, password string) []byte {
	b, op := Begin(b, opExtended)
	b = AppendString(b, tagExtendedName, ExtensionPasswordModify)
	b, value := Begin(b, tagExtendedValue)
	b, seq := Begin(b, TagSequence)
	b = AppendString(b, tagUserIdentity, dn)
	b = AppendString(b, tagNewPassword, password)
	return End(End(End(b, seq), value), op)
}
