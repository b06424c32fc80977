package idstore

import "fmt"

// record reads an entity, or none.
func (l *recordLine) record() (Record, error) {
	if l == nil {
		return Record{}, nil
	}
	r := Record{Entity: l.Entity, Type: l.Type, Created: l.Created.UTC(), Retired: l.Retired}
	if r.Entity == 0 || r.Type == "" {
		return Record{}, fmt.Errorf("an entity without a number or a type: %w", ErrInvalid)
	}
	for i, part := range l.Links {
		a, err := part.anchor()
		if err != nil {
			return Record{}, err
		}
		r.Links = append(r.Links, Link{Anchor: a, Primary: i == 0})
	}
	for _, id := range l.IDs {
		if id.ID.IsZero() {
			return Record{}, fmt.Errorf("an id is missing: %w", ErrInvalid)
		}
		r.IDs = append(r.IDs, ID{Domain: id.Domain, Public: id.ID, Alias: id.Alias})
	}
	for _, x := range l.ExternalIDs {
		if x.Value == "" {
			return Record{}, fmt.Errorf("an externalId is missing: %w", ErrInvalid)
		}
		if err := checkText("an externalId", string(x.Value)); err != nil {
			return Record{}, err
		}
		r.ExternalIDs = append(r.ExternalIDs, ExternalID{Domain: x.Domain, Value: string(x.Value), Alias: x.Alias})
	}
	return r, nil
}

func (p anchorPart) anchor() (Anchor, error) {
	a := Anchor{Backend: p.Backend, Key: string(p.Key)}
	return a, a.check()
}

func (i *importer) intent(l *intentLine) error {
	in := Intent{
		ID: l.ID, Kind: l.Kind, Scope: Scope{Type: l.Type, IDs: l.IDs, Externals: l.Externals}, Entity: l.Entity, Backend: l.Backend,
		Name: string(l.Name), ExternalID: string(l.ExternalID), Begun: l.Begun.UTC(), Who: string(l.Who), Why: string(l.Why),
	}
	if l.Public != nil {
		in.Public = *l.Public
	}
	for _, part := range l.Anchors {
		a, err := part.anchor()
		if err != nil {
			return err
		}
		in.Anchors = append(in.Anchors, a)
	}
	asked := in
	if in.Kind == Create {
		asked.Entity = 0 // what Begin is given has none
	}
	if err := asked.check(); err != nil {
		return err
	}
	if in.ID == 0 || in.Entity == 0 {
		return fmt.Errorf("an intent without a number or an entity: %w", ErrInvalid)
	}
	if err := i.once(TableIntents, appendOrdered(nil, uint64(in.ID))); err != nil {
		return err
	}
	return putIntent(i.tx, in)
}

func (i *importer) operation(l *operationLine) error {
	note := Note{Who: string(l.Who), Why: string(l.Why), When: l.When}
	if l.ID == 0 || l.Kind == 0 || l.When.UnixMilli() <= 0 {
		return fmt.Errorf("an operation without a number, a kind or a time: %w", ErrInvalid)
	}
	note, err := note.settled()
	if err != nil {
		return err
	}
	o := Operation{ID: l.ID, Kind: l.Kind, Note: note, Undoes: l.Undoes, UndoneBy: l.UndoneBy}
	for _, part := range l.Changes {
		var c Change
		if c.Before, err = part.Before.record(); err != nil {
			return err
		}
		if c.After, err = part.After.record(); err != nil {
			return err
		}
		if c.Entity() == 0 || c.Before.Entity != 0 && c.After.Entity != 0 && c.Before.Entity != c.After.Entity {
			return fmt.Errorf("a change of no entity, or of two: %w", ErrInvalid)
		}
		o.Changes = append(o.Changes, c)
	}
	for _, part := range l.Leftovers {
		a, err := part.anchor()
		if err != nil {
			return err
		}
		o.Leftovers = append(o.Leftovers, Leftover{Anchor: a, Action: part.Action, State: part.State, At: part.At.UTC()})
	}
	if err := i.once(TableHistory, appendOperation(nil, o.ID)); err != nil {
		return err
	}
	i.historyKeys = append(i.historyKeys, operationKeys(o)...)
	return putOperation(i.tx, o)
}

func (i *importer) work(l *workLine) error {
	a, err := l.anchor()
	if err != nil {
		return err
	}
	if l.ID == 0 || l.Action == ActionKeep || l.Attempts < 0 {
		return fmt.Errorf("work without a number, or to do nothing: %w", ErrInvalid)
	}
	if err := checkText("an error", string(l.LastError)); err != nil {
		return err
	}
	if err := i.once(TableWork, appendOrdered(nil, uint64(l.ID))); err != nil {
		return err
	}
	return putWork(i.tx, Work{
		ID: l.ID, Anchor: a, Action: l.Action, Operation: l.Operation, Queued: l.Queued.UTC(), Next: l.Next.UTC(),
		Taken: l.Taken, Held: l.Held, Attempts: l.Attempts, LastError: string(l.LastError),
	})
}

// once checks that no earlier line had the number.
func (i *importer) once(t Table, key []byte) error {
	row, err := i.tx.Get(t, key)
	if err == nil && row != nil {
		err = fmt.Errorf("a number of %s twice: %w", t, ErrInvalid)
	}
	return err
}
