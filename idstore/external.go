package idstore

import (
	"cmp"
	"fmt"
	"slices"
)

// ByExternalID returns the entities of the scope's type that the clients of s.Externals call value, be it what they
// are shown or an alias, oldest first. An externalId need not be unique (RFC 7643 §3.1).
func ByExternalID(tx Tx, s Scope, value string) ([]Record, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if value == "" || len(value) > maxText {
		return nil, nil
	}
	domain, err := tx.Names().number(tx, kindDomain, string(s.Externals))
	if err != nil || domain == 0 && s.Externals != "" {
		return nil, err
	}
	var records []Record
	index := postings{tx: tx, table: TableExternals}
	err = index.each(textHash(domain, value), func(e EntityID) (bool, error) {
		r, err := indexedRecord(tx, e)
		if r.Type == s.Type && r.called(s.Externals, value) {
			records = append(records, r)
		}
		return false, err
	})
	slices.SortFunc(records, func(a, b Record) int { return cmp.Compare(a.Entity, b.Entity) })
	return records, err
}

// SetExternalID makes value what the clients of s.Externals call an entity, in place of what they are shown; "" for
// nothing. Aliases stay; where value is one, it and what was shown change places, since both are names that the clients gave. It
// returns the record as it then is, or ErrNotFound where there is no such entity of the scope's type.
func SetExternalID(tx Tx, s Scope, e EntityID, value string) (Record, error) {
	r, err := entityRecord(tx, e)
	if err != nil {
		return Record{}, err
	}
	if r.Entity == 0 || r.Type != s.Type || r.Retired {
		return Record{}, fmt.Errorf("entity: %w", ErrNotFound)
	}
	if r.ExternalID(s.Externals) == value {
		return r, nil
	}
	was := r
	if r, err = withExternalID(tx, r, s.Externals, value); err != nil {
		return Record{}, err
	}
	if err := countMerged(tx, was, r); err != nil {
		return Record{}, err
	}
	return r, putRecord(tx, r)
}

// withExternalID returns the record with its externalId in the domain changed, having written the index and not the
// record.
func withExternalID(tx Tx, r Record, d Domain, value string) (Record, error) {
	if err := checkText("an externalId", value); err != nil {
		return Record{}, err
	}
	known := r.called(d, value)
	var kept []ExternalID
	for _, x := range r.ExternalIDs {
		switch {
		case x.Domain != d || x.Alias && x.Value != value:
		case x.Alias:
			x.Alias = false
		case known:
			x.Alias = true
		default:
			if err := dropExternal(tx, r.Entity, x); err != nil {
				return Record{}, err
			}
			continue
		}
		kept = append(kept, x)
	}
	if value != "" && !known {
		x := ExternalID{Domain: d, Value: value}
		p, err := externalPosting(tx, r.Entity, x)
		if err != nil {
			return Record{}, err
		}
		index := postings{tx: tx, table: TableExternals}
		if err := index.add([]posting{p}); err != nil {
			return Record{}, err
		}
		kept = append(kept, x)
	}
	r.ExternalIDs = kept
	return r, nil
}

// dropExternal takes one externalId of an entity out of the index.
func dropExternal(tx Tx, e EntityID, x ExternalID) error {
	p, err := externalPosting(tx, e, x)
	if err != nil {
		return err
	}
	index := postings{tx: tx, table: TableExternals}
	return index.remove(p)
}

func externalPosting(tx Tx, e EntityID, x ExternalID) (posting, error) {
	domain, err := tx.Names().intern(tx, kindDomain, string(x.Domain))
	return newPosting(textHash(domain, x.Value), e), err
}
