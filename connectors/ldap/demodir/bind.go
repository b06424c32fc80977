package demodir

import "crypto/subtle"

// bind carries out a simple bind (RFC 4511 §4.2, RFC 4513 §5.1). What is still
// being sent is finished first, as the RFC demands.
func (s *session) bind(m *message) error {
	in := m.body
	version, err := in.number(tagInteger)
	if err != nil {
		return err
	}
	target, err := in.text(tagString)
	if err != nil {
		return err
	}
	method, credentials, err := in.next()
	if err != nil {
		return err
	}
	s.wait()
	s.who, s.cursor = dn{}, nil
	_, refused := s.vocabulary().controlsOf(m.op, m.controls)
	switch {
	case refused != nil:
	case version != 3:
		refused = refuse(protocolError, "requested protocol version not supported")
	case method != 0x80:
		refused = refuse(authMethodNotSupported, "only simple binds are supported")
	default:
		s.who, refused = s.directory.authenticate(target, string(credentials))
	}
	return s.answer(m, responseBind, refused, nil, nil)
}

// authenticate returns the name of who shows the right password, and the name
// without RDN where neither is given. It never tells what was wrong.
func (d *Directory) authenticate(target, password string) (dn, error) {
	name, err := d.name(target)
	switch {
	case err != nil:
		return dn{}, err
	case len(name.rdns) == 0 && password == "":
		return dn{}, nil
	case len(name.rdns) == 0:
		return dn{}, refuse(inappropriateAuthentication, "")
	case password == "":
		return dn{}, refuse(unwillingToPerform, "unauthenticated bind (DN with no password) disallowed")
	}
	if name.norm == d.root.norm && d.password != "" && samePassword(d.password, password) {
		return d.root, nil
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	n := d.byDN[name.norm]
	if n == nil || n.entry.find(d.schema.lockedTime) != nil || !d.hasPassword(n.entry, password) {
		return dn{}, refuse(invalidCredentials, "")
	}
	return n.entry.dn, nil
}

func (d *Directory) hasPassword(e *entry, password string) bool {
	a := e.find(d.schema.userPassword)
	if a == nil {
		return false
	}
	found := false
	for _, value := range a.values {
		found = samePassword(value, password) || found
	}
	return found
}

func samePassword(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
