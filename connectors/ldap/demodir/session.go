package demodir

import (
	"bufio"
	"bytes"
	"errors"
	"net"
	"sync"
	"sync/atomic"
)

// session is one connection. Its requests are carried out one after another in
// the order they come, so that each sees what the ones before it did; only the
// sending of a long search result goes on beside, which lets it be abandoned.
type session struct {
	server    *server
	directory *Directory
	in        *bufio.Reader
	who       dn // no RDN before a bind
	cursor    *cursor
	cookies   uint64
	reply     encoder // reused by each answer of this goroutine

	writing sync.Mutex
	conn    net.Conn

	sending sync.WaitGroup
	mu      sync.Mutex
	streams map[int]*stream // by message id
}

// stream is a search result on its way.
type stream struct{ abandoned atomic.Bool }

// errUnbind ends a connection as its client wishes.
var errUnbind = errors.New("unbind")

func (s *session) serve() error {
	var buffer bytes.Buffer
	for {
		if err := readMessage(s.in, &buffer); err != nil {
			return err
		}
		m, err := parseMessage(buffer.Bytes())
		if err != nil {
			return err
		}
		if err := s.handle(&m); err != nil {
			return err
		}
	}
}

// handle carries out one request. An error ends the connection; a refusal is an
// answer.
func (s *session) handle(m *message) error {
	switch m.op {
	case requestBind:
		return s.bind(m)
	case requestUnbind:
		return errUnbind
	case requestSearch:
		return s.search(m)
	case requestModify:
		return s.modify(m)
	case requestAdd:
		return s.add(m)
	case requestDelete:
		return s.delete(m)
	case requestModifyDN:
		return s.modifyDN(m)
	case requestCompare:
		return s.compare(m)
	case requestAbandon:
		return s.abandon(m)
	case requestExtended:
		return s.extended(m)
	}
	return errMalformed
}

// vocabulary returns the schema as the client may use it.
func (s *session) vocabulary() vocabulary {
	return vocabulary{s.directory.schema, s.mayAll()}
}

// mayAll holds for who may do everything.
func (s *session) mayAll() bool {
	root := s.directory.root
	return len(root.rdns) == 0 || s.who.norm == root.norm
}

// mayRead refuses who has not bound.
func (s *session) mayRead() error {
	if s.mayAll() || len(s.who.rdns) > 0 {
		return nil
	}
	return refuse(insufficientAccessRights, "reading requires authentication")
}

// mayWrite refuses everyone but who may do everything.
func (s *session) mayWrite() error {
	switch {
	case s.mayAll():
		return nil
	case len(s.who.rdns) == 0:
		return refuse(strongerAuthRequired, "modifications require authentication")
	}
	return refuse(insufficientAccessRights, "")
}

// answer sends an LDAPResult: success where err is nil, a refusal as it says.
// fields and list, where they are not nil, append what an operation adds to its
// result and the controls of the answer. An error that is no refusal is returned
// and nothing sent, as one of the protocol ends the connection.
func (s *session) answer(m *message, op byte, err error, fields, list func(*encoder)) error {
	s.reply.out = s.reply.out[:0]
	if err := writeResult(&s.reply, m.id, op, err, fields, list); err != nil {
		return err
	}
	return s.send(s.reply.out)
}

func writeResult(e *encoder, id int, op byte, err error, fields, list func(*encoder)) error {
	result := &fault{code: success}
	if err != nil && !errors.As(err, &result) {
		return err
	}
	envelope := e.begin(tagSequence)
	e.number(tagInteger, id)
	body := e.begin(op)
	e.number(tagEnumerated, int(result.code))
	e.text(tagString, result.matched)
	e.text(tagString, result.text)
	if fields != nil {
		fields(e)
	}
	e.end(body)
	if list != nil {
		start := e.begin(0xa0)
		list(e)
		e.end(start)
	}
	e.end(envelope)
	return nil
}

func (s *session) send(out []byte) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	_, err := s.conn.Write(out)
	return err
}

// wait returns when nothing is being sent beside the requests.
func (s *session) wait() { s.sending.Wait() }

// abandon stops a search result on its way. Everything else is done by the time
// that the request to abandon it is read (RFC 4511 §4.11).
func (s *session) abandon(m *message) error {
	id, err := (&decoder{append([]byte{tagInteger, byte(len(m.body.rest))}, m.body.rest...)}).number(tagInteger)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if running := s.streams[id]; running != nil {
		running.abandoned.Store(true)
	}
	return nil
}

// disconnect sends a notice of disconnection (RFC 4511 §4.4.1). The connection
// ends whether it gets there or not.
func (s *session) disconnect() {
	notice := func(e *encoder) { e.text(0x8a, "1.3.6.1.4.1.1466.20036") }
	_ = s.answer(&message{}, responseExtended, refuse(protocolError, "decoding error"), notice, nil)
}
