package idstore

// Reference is as much of an entity as another resource shows of it: "members.value" and "$ref" (RFC 7643 §2.4).
type Reference struct {
	Entity EntityID // 0 where there is none
	Type   string
	Public PublicID // what Record.PublicID returns; zero where it returns none
}

// References is ByAnchors for when there are many and only their ids are wanted, as for the members of a large group: it
// reads the same rows and takes no memory for each but the Reference.
func References(tx Tx, s Scope, anchors []Anchor) (references []Reference, missing []int, err error) {
	references = make([]Reference, len(anchors))
	search := referenceSearch{tx: tx}
	if search.domain, err = tx.Names().number(tx, kindDomain, string(s.IDs)); err != nil {
		return nil, nil, err
	}
	search.unknownDomain = search.domain == 0 && s.IDs != ""
	index := postings{tx: tx, table: TableAnchors}
	for i, a := range anchors {
		search.found, search.own = Reference{}, false
		if search.backend, err = tx.Names().number(tx, kindBackend, a.Backend); err != nil {
			return nil, nil, err
		}
		if search.backend != 0 {
			search.key = a.Key
			if err := index.each(textHash(search.backend, a.Key), search.visit); err != nil {
				return nil, nil, err
			}
		}
		references[i] = search.found
		if search.found.Entity == 0 || search.found.Type == s.Type && !search.own {
			missing = append(missing, i)
		}
	}
	return references, missing, nil
}

// referenceSearch looks for the entity of one anchor.
type referenceSearch struct {
	tx            Tx
	backend       uint64
	key           string
	domain        uint64
	unknownDomain bool // nothing is in the domain, since it has no number
	row           [9]byte

	found Reference
	own   bool // the id is of the domain itself
}

// visit reads the row of an entity, as decodeRecord does, and keeps what is wanted if the entity is linked to the anchor.
func (s *referenceSearch) visit(e EntityID) (done bool, err error) {
	value, err := s.tx.Get(TableEntities, appendEntityKey(s.row[:0], e))
	if err == nil && value == nil {
		err = errMissing()
	}
	if err != nil {
		return false, err
	}
	c := cursor{rest: value}
	form := c.uint()
	if form < recordPlain || form > recordRetired {
		c.broken = true
		return false, c.err("an entity")
	}
	typeNumber := c.uint()
	c.uint() // when it was created
	linked := false
	for range c.count() {
		backend := c.uint()
		if c.textIs(s.key) && backend == s.backend {
			linked = true
		}
	}
	found, own := Reference{Entity: e}, form == recordRetired // which gets no id
	for range c.count() {
		number, id := c.uint(), c.publicID()
		switch {
		case number%2 == 1: // an alias
		case number/2 == s.domain && !s.unknownDomain && !own:
			found.Public, own = id, true
		case number == 0 && !own && found.Public.IsZero():
			found.Public = id
		}
	}
	for range c.count() {
		c.uint()
		c.skipText()
	}
	if err := c.err("an entity"); err != nil || !linked {
		return false, err
	}
	found.Type, err = s.tx.Names().text(s.tx, kindType, typeNumber)
	s.found, s.own = found, own
	return true, err
}
