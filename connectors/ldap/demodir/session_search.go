package demodir

// How a search result is sent: in pieces of some size, and beside the following
// requests where it has many entries.
const (
	sendAtOnce = 64       // entries
	sendPiece  = 32 << 10 // octets
	maxStreams = 16       // results on their way on one connection
)

func (s *session) search(m *message) error {
	q, special, err := s.readSearch(m)
	if err == nil && special == nil {
		err = s.mayRead()
	}
	if err != nil {
		return s.answer(m, responseSearch, err, nil, nil)
	}
	found := s.directory.search(q, special, s)
	done := func(e *encoder) error {
		var list func(*encoder)
		if q.controls.page != nil && found.err == nil {
			list = func(e *encoder) { writePage(e, found.cookie) }
		}
		return writeResult(e, m.id, responseSearch, found.err, nil, list)
	}
	if len(found.views) <= sendAtOnce {
		s.reply.out = s.reply.out[:0]
		return s.sendResult(&s.reply, m.id, q.typesOnly, found.views, nil, done)
	}
	running := &stream{}
	if !s.start(m.id, running) {
		s.wait()
		s.start(m.id, running)
	}
	id, typesOnly := m.id, q.typesOnly
	s.sending.Go(func() {
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.streams[id] == running {
				delete(s.streams, id)
			}
		}()
		if err := s.sendResult(&encoder{}, id, typesOnly, found.views, running, done); err != nil {
			s.conn.Close() // which ends the reading of requests too
		}
	})
	return nil
}

// start notes a result on its way, unless there are too many.
func (s *session) start(id int, running *stream) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.streams) >= maxStreams {
		return false
	}
	s.streams[id] = running
	return true
}

// sendResult sends entries and, where it is not abandoned, what ends the search.
func (s *session) sendResult(e *encoder, id int, typesOnly bool, views []view, running *stream, done func(*encoder) error) error {
	for i := range views {
		if running != nil && running.abandoned.Load() {
			return nil
		}
		writeEntry(e, id, &views[i], typesOnly)
		if len(e.out) >= sendPiece {
			if err := s.send(e.out); err != nil {
				return err
			}
			e.out = e.out[:0]
		}
	}
	if err := done(e); err != nil {
		return err
	}
	return s.send(e.out)
}

func writeEntry(e *encoder, id int, v *view, typesOnly bool) {
	envelope := e.begin(tagSequence)
	e.number(tagInteger, id)
	v.write(e, typesOnly)
	if v.dereferenced != nil {
		list := e.begin(0xa0)
		v.writeDereferenced(e)
		e.end(list)
	}
	e.end(envelope)
}

// writePage appends the paged results control of an answer (RFC 2696 §2), with
// no estimate of the total.
func writePage(e *encoder, cookie string) {
	control := e.begin(tagSequence)
	e.text(tagString, controlPaged)
	value := e.begin(tagString)
	body := e.begin(tagSequence)
	e.number(tagInteger, 0)
	e.text(tagString, cookie)
	e.end(body)
	e.end(value)
	e.end(control)
}

// readSearch reads a search request (RFC 4511 §4.5.1). The node it returns is
// the root DSE or the subschema subentry where the base is one of these.
func (s *session) readSearch(m *message) (*query, *node, error) {
	words := s.vocabulary()
	in := m.body
	q := &query{raw: m.body.rest}
	base, err := in.text(tagString)
	if err != nil {
		return nil, nil, err
	}
	numbers := []struct {
		tag byte
		to  *int
	}{{tagEnumerated, &q.scope}, {tagEnumerated, new(int)}, {tagInteger, &q.sizeLimit}, {tagInteger, new(int)}}
	for _, n := range numbers {
		if *n.to, err = in.number(n.tag); err != nil {
			return nil, nil, err
		}
	}
	if q.typesOnly, err = in.truth(tagBoolean); err != nil {
		return nil, nil, err
	}
	if q.filter, err = words.read(&in, 1); err != nil {
		return nil, nil, err
	}
	names, err := in.texts(tagSequence)
	if err != nil {
		return nil, nil, err
	}
	q.selection = words.selection(names)
	if q.controls, err = words.controlsOf(m.op, m.controls); err != nil {
		return nil, nil, err
	}
	if q.scope < scopeBase || q.scope > scopeSub || q.sizeLimit < 0 {
		return nil, nil, refuse(protocolError, "invalid scope or size limit")
	}
	if q.base, err = s.directory.name(base); err != nil {
		return nil, nil, err
	}
	// Neither is in the tree, so that no search but one of the base finds them.
	switch {
	case q.scope != scopeBase:
		return q, nil, nil
	case len(q.base.rdns) == 0:
		return q, s.server.root, nil
	case q.base.norm == s.directory.subentry.entry.dn.norm:
		return q, s.directory.subentry, nil
	}
	return q, nil, nil
}
