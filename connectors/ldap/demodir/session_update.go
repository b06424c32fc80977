package demodir

func (s *session) add(m *message) error {
	in := m.body
	var e Entry
	var err error
	if e.DN, err = in.text(tagString); err != nil {
		return err
	}
	if e.Attributes, err = parseAttributes(&in); err != nil {
		return err
	}
	var post *view
	c, err := s.update(m)
	if err == nil {
		var draft *entry
		if draft, err = s.directory.newEntry(e, false); err == nil {
			post, err = s.directory.add(draft, s.who, c)
		}
	}
	return s.answerUpdate(m, responseAdd, err, nil, post)
}

func (s *session) modify(m *message) error {
	in := m.body
	target, err := in.text(tagString)
	if err != nil {
		return err
	}
	list, err := in.inside(tagSequence)
	if err != nil {
		return err
	}
	var changes []change
	var refused error
	for !list.empty() {
		one, err := list.inside(tagSequence)
		if err != nil {
			return err
		}
		operation, err := one.number(tagEnumerated)
		if err != nil {
			return err
		}
		a, err := parseAttribute(&one)
		if err != nil {
			return err
		}
		ch, err := s.directory.newChange(operation, a)
		if err != nil && refused == nil {
			refused = err
		}
		changes = append(changes, ch)
	}
	var pre, post *view
	var name dn
	c, err := s.update(m)
	if err == nil {
		name, err = s.directory.name(target)
	}
	if err == nil {
		err = refused
	}
	if err == nil {
		pre, post, err = s.directory.modify(name, changes, s.who, c)
	}
	return s.answerUpdate(m, responseModify, err, pre, post)
}

func (s *session) delete(m *message) error {
	var pre *view
	var name dn
	c, err := s.update(m)
	if err == nil {
		name, err = s.directory.name(string(m.body.rest))
	}
	if err == nil {
		pre, err = s.directory.delete(name, c)
	}
	return s.answerUpdate(m, responseDelete, err, pre, nil)
}

func (s *session) modifyDN(m *message) error {
	in := m.body
	target, err := in.text(tagString)
	if err != nil {
		return err
	}
	newRDN, err := in.text(tagString)
	if err != nil {
		return err
	}
	deleteOld, err := in.truth(tagBoolean)
	if err != nil {
		return err
	}
	var superior *string
	if !in.empty() {
		text, err := in.text(0x80)
		if err != nil {
			return err
		}
		superior = &text
	}
	var pre, post *view
	c, err := s.update(m)
	if err == nil {
		pre, post, err = s.rename(target, newRDN, deleteOld, superior, c)
	}
	return s.answerUpdate(m, responseModifyDN, err, pre, post)
}

func (s *session) rename(target, newRDN string, deleteOld bool, superior *string, c controls) (pre, post *view, err error) {
	name, err := s.directory.name(target)
	if err != nil {
		return nil, nil, err
	}
	to, err := s.directory.name(newRDN)
	if err != nil {
		return nil, nil, err
	}
	if len(to.rdns) != 1 {
		return nil, nil, refuse(invalidDNSyntax, "invalid new RDN")
	}
	var below *dn
	if superior != nil {
		above, err := s.directory.name(*superior)
		if err != nil {
			return nil, nil, err
		}
		below = &above
	}
	return s.directory.rename(name, to.rdns[0], deleteOld, below, s.who, c)
}

func (s *session) compare(m *message) error {
	in := m.body
	target, err := in.text(tagString)
	if err != nil {
		return err
	}
	assertion, err := in.inside(tagSequence)
	if err != nil {
		return err
	}
	description, err := assertion.text(tagString)
	if err != nil {
		return err
	}
	value, err := assertion.text(tagString)
	if err != nil {
		return err
	}
	var name dn
	words := s.vocabulary()
	c, err := words.controlsOf(m.op, m.controls)
	if err == nil {
		err = s.mayRead()
	}
	if err == nil {
		name, err = s.directory.name(target)
	}
	if err == nil {
		if t := words.attribute(description); t != nil {
			err = s.directory.compare(name, t, value, c)
		} else {
			err = refuse(undefinedAttributeType, "%s: attribute type undefined", description)
		}
	}
	return s.answer(m, responseCompare, err, nil, nil)
}

// update reads the controls of a request that writes and refuses who may not.
func (s *session) update(m *message) (controls, error) {
	c, err := s.vocabulary().controlsOf(m.op, m.controls)
	if err == nil {
		err = s.mayWrite()
	}
	return c, err
}

// answerUpdate sends the result of an update with the views that its pre-read
// and post-read controls asked for (RFC 4527 §3).
func (s *session) answerUpdate(m *message, op byte, err error, pre, post *view) error {
	if pre == nil && post == nil || err != nil {
		return s.answer(m, op, err, nil, nil)
	}
	return s.answer(m, op, nil, nil, func(e *encoder) {
		for _, read := range []struct {
			oid  string
			view *view
		}{{controlPreRead, pre}, {controlPostRead, post}} {
			if read.view == nil {
				continue
			}
			control := e.begin(tagSequence)
			e.text(tagString, read.oid)
			value := e.begin(tagString)
			read.view.write(e, false)
			e.end(value)
			e.end(control)
		}
	})
}
