package demodir

import (
	"bufio"
	"crypto/rand"
	"crypto/tls"
)

// The extended operations that the directory knows.
const (
	extensionStartTLS       = "1.3.6.1.4.1.1466.20037"  // RFC 4511 §4.14
	extensionPasswordModify = "1.3.6.1.4.1.4203.1.11.1" // RFC 3062
	extensionWhoAmI         = "1.3.6.1.4.1.4203.1.11.3" // RFC 4532
)

func (s *session) extended(m *message) error {
	in := m.body
	name, err := in.text(0x80)
	if err != nil {
		return err
	}
	var value []byte
	if !in.empty() {
		if value, err = in.expect(0x81); err != nil {
			return err
		}
	}
	if _, err := s.vocabulary().controlsOf(m.op, m.controls); err != nil {
		return s.answer(m, responseExtended, err, nil, nil)
	}
	switch name {
	case extensionStartTLS:
		return s.startTLS(m)
	case extensionWhoAmI:
		return s.answer(m, responseExtended, nil, func(e *encoder) {
			if len(s.who.rdns) == 0 {
				e.text(0x8b, "")
			} else {
				e.text(0x8b, "dn:"+s.who.text)
			}
		}, nil)
	case extensionPasswordModify:
		return s.passwordModify(m, value)
	}
	return s.answer(m, responseExtended, refuse(protocolError, "unsupported extended operation"), nil, nil)
}

// startTLS goes over to TLS after its answer. A client that sends on before the
// answer has come would have that taken for something said under TLS: its
// connection ends.
func (s *session) startTLS(m *message) error {
	s.wait()
	var err error
	if s.server.tls == nil {
		err = refuse(protocolError, "unsupported extended operation")
	} else if _, already := s.conn.(*tls.Conn); already {
		err = refuse(operationsError, "TLS already started")
	} else if s.in.Buffered() > 0 {
		return errMalformed
	}
	name := func(e *encoder) { e.text(0x8a, extensionStartTLS) }
	if failed := s.answer(m, responseExtended, err, name, nil); failed != nil || err != nil {
		return failed
	}
	secured := tls.Server(s.conn, s.server.tls)
	if err := secured.Handshake(); err != nil {
		return err
	}
	s.conn, s.in = secured, bufio.NewReader(secured)
	return nil
}

// passwordModify sets the password of an entry, one that it makes up where none
// is given (RFC 3062 §2). Everyone may set their own who knows it.
func (s *session) passwordModify(m *message, value []byte) error {
	var identity, old, fresh string
	if value != nil {
		in, err := (&decoder{value}).inside(tagSequence)
		if err != nil {
			return err
		}
		for !in.empty() {
			tag, content, err := in.next()
			if err != nil {
				return err
			}
			switch tag {
			case 0x80:
				identity = string(content)
			case 0x81:
				old = string(content)
			case 0x82:
				fresh = string(content)
			default:
				return errMalformed
			}
		}
	}
	generated := fresh == ""
	if generated {
		fresh = rand.Text()
	}
	err := s.setPassword(identity, old, fresh)
	var fields func(*encoder)
	if err == nil && generated {
		fields = func(e *encoder) {
			start := e.begin(0x8b)
			body := e.begin(tagSequence)
			e.text(0x80, fresh)
			e.end(body)
			e.end(start)
		}
	}
	return s.answer(m, responseExtended, err, fields, nil)
}

func (s *session) setPassword(identity, old, fresh string) error {
	target := s.who
	if identity != "" {
		var err error
		if target, err = s.directory.name(identity); err != nil {
			return err
		}
	}
	if len(target.rdns) == 0 || target.norm != s.who.norm {
		if err := s.mayWrite(); err != nil {
			return err
		}
	}
	if old != "" || !s.mayAll() {
		if _, err := s.directory.authenticate(target.text, old); err != nil {
			return refuse(unwillingToPerform, "unwilling to verify old password")
		}
	}
	ch, err := s.directory.newChange(changeReplace, Attribute{"userPassword", []string{fresh}})
	if err != nil {
		return err
	}
	_, _, err = s.directory.modify(target, []change{ch}, s.who, controls{})
	return err
}
