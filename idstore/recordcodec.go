package idstore

import "encoding/binary"

// The first byte of the row of an entity.
const (
	recordPlain   = 1
	recordAliases = 2 // the domains of externalIds are doubled, plus one for an alias; only where there is such an alias
	recordRetired = 3 // as recordPlain; of a retired entity
)

// entityRecord reads the record of an entity that an index or an intent names.
func entityRecord(tx Tx, e EntityID) (Record, error) {
	value, err := tx.Get(TableEntities, appendEntityKey(nil, e))
	if err != nil || value == nil {
		return Record{}, err
	}
	return decodeRecord(tx, e, value)
}

// putRecord writes the row of an entity, and none of its indexes.
func putRecord(tx Tx, r Record) error {
	value, err := encodeRecord(tx, make([]byte, 0, 96), r)
	if err != nil {
		return err
	}
	return tx.Put(TableEntities, appendEntityKey(nil, r.Entity), value)
}

// encodeRecord appends: the form; the type; when created; the links, each a backend and a key, the primary one first;
// the ids, each the domain doubled plus one for an alias, and 16 bytes; the externalIds, each a domain and a value. Names
// are numbers, numbers are varints, lists begin with their length.
func encodeRecord(tx Tx, b []byte, r Record) ([]byte, error) {
	names := tx.Names()
	number, err := names.intern(tx, kindType, r.Type)
	if err != nil {
		return nil, err
	}
	form := r.form()
	b = append(b, form)
	b = binary.AppendUvarint(b, number)
	b = appendTime(b, r.Created)

	b = binary.AppendUvarint(b, uint64(len(r.Links)))
	for _, l := range r.Links {
		if number, err = names.intern(tx, kindBackend, l.Backend); err != nil {
			return nil, err
		}
		b = binary.AppendUvarint(b, number)
		b = appendText(b, l.Key)
	}
	b = binary.AppendUvarint(b, uint64(len(r.IDs)))
	for _, id := range r.IDs {
		if number, err = names.intern(tx, kindDomain, string(id.Domain)); err != nil {
			return nil, err
		}
		number *= 2
		if id.Alias {
			number++
		}
		b = binary.AppendUvarint(b, number)
		b = append(b, id.Public[:]...)
	}
	b = binary.AppendUvarint(b, uint64(len(r.ExternalIDs)))
	for _, x := range r.ExternalIDs {
		if number, err = names.intern(tx, kindDomain, string(x.Domain)); err != nil {
			return nil, err
		}
		if form == recordAliases {
			number *= 2
			if x.Alias {
				number++
			}
		}
		b = binary.AppendUvarint(b, number)
		b = appendText(b, x.Value)
	}
	return b, nil
}

// form is the first byte of the row of the record.
func (r Record) form() byte {
	if r.Retired {
		return recordRetired
	}
	for _, x := range r.ExternalIDs {
		if x.Alias {
			return recordAliases
		}
	}
	return recordPlain
}

// decodeRecord reads what encodeRecord wrote. Nothing in the record points into value.
func decodeRecord(tx Tx, e EntityID, value []byte) (Record, error) {
	names := tx.Names()
	c := cursor{rest: value}
	form := c.uint()
	r := Record{Entity: e, Retired: form == recordRetired}
	if form < recordPlain || form > recordRetired {
		c.broken = true
		return Record{}, c.err("an entity")
	}
	var err error
	if r.Type, err = names.text(tx, kindType, c.uint()); err != nil {
		return Record{}, err
	}
	r.Created = c.time()

	if n := c.count(); n > 0 {
		r.Links = make([]Link, n)
	}
	for i := range r.Links {
		l := &r.Links[i]
		if l.Backend, err = names.text(tx, kindBackend, c.uint()); err != nil {
			return Record{}, err
		}
		l.Key = c.text()
		l.Primary = i == 0
	}
	if n := c.count(); n > 0 {
		r.IDs = make([]ID, n)
	}
	for i := range r.IDs {
		number := c.uint()
		domain, err := names.text(tx, kindDomain, number/2)
		if err != nil {
			return Record{}, err
		}
		r.IDs[i] = ID{Domain: Domain(domain), Public: c.publicID(), Alias: number%2 == 1}
	}
	if n := c.count(); n > 0 {
		r.ExternalIDs = make([]ExternalID, n)
	}
	for i := range r.ExternalIDs {
		number, alias := c.uint(), false
		if form == recordAliases {
			number, alias = number/2, number%2 == 1
		}
		domain, err := names.text(tx, kindDomain, number)
		if err != nil {
			return Record{}, err
		}
		r.ExternalIDs[i] = ExternalID{Domain: Domain(domain), Value: c.text(), Alias: alias}
	}
	return r, c.err("an entity")
}
