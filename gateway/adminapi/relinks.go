package adminapi

import (
	"context"
	"errors"
	"fmt"

	"postern/idstore"
)

// RelinksRequest asks for many relinks at once: by rows of old and new anchors, or
// for every entity whose primary object is gone, by an attribute.
type RelinksRequest struct {
	Type string      `json:"type"`
	Rows []RelinkRow `json:"rows,omitempty"`
	// Match is the SCIM path of the attribute that says which object it is: the one
	// whose value is the entity's externalId in the domain.
	Match  string `json:"match,omitempty"`
	Domain string `json:"domain,omitempty"`

	Absorb    bool   `json:"absorb,omitempty"`
	KeepGoing bool   `json:"keepGoing,omitempty"`
	Who       string `json:"who,omitempty"`
	Why       string `json:"why,omitempty"`
	DryRun    bool   `json:"dryRun,omitempty"`
}

// RelinkRow is an anchor that an object had, and the one that it has.
type RelinkRow struct {
	Line int    `json:"line"`
	Old  string `json:"old"`
	New  string `json:"new"`
}

// RelinksResult says what was, or would be, done.
type RelinksResult struct {
	Looked   int       `json:"looked"`   // rows, or entities
	Good     int       `json:"good"`     // those that are, or would be, relinked
	Already  int       `json:"already"`  // those that were before
	Problems []Problem `json:"problems"` // Line is 0 where there is no file
}

// relink is one of many.
type relink struct {
	line        int
	entity      idstore.EntityID
	before, now idstore.Anchor
	would       idstore.Operation // what it would change
}

// Relinked is one of those that are, or would be, relinked.
type Relinked struct {
	Line      int    `json:"line,omitempty"` // of the file
	Type      string `json:"type"`
	Ref       string `json:"ref"` // an id of the resource, or anchor:… where it has none
	Old       string `json:"old"`
	New       string `json:"new"`
	Operation uint64 `json:"operation,omitempty"` // its number in the history, for undo
}

func (h *Handler) relinks(ctx context.Context, req RelinksRequest, a *answer) (any, error) {
	if req.Type == "" {
		return nil, refuse("name the resource type")
	}
	if err := h.served(req.Type); err != nil {
		return nil, err
	}
	res := RelinksResult{Problems: []Problem{}}
	var good []relink
	var err error
	if req.Match != "" {
		if req.Domain, err = h.domain(req.Domain, "externalIds are matched"); err != nil {
			return nil, err
		}
		if err = h.Gateway.Matches(req.Type, req.Match); err != nil {
			return nil, refuse("--match %s: %v", req.Match, err)
		}
		good, err = h.matches(ctx, req, &res, a)
	} else {
		good, err = h.rows(ctx, req, &res, a)
	}
	if err != nil {
		return nil, err
	}
	// Each is tried, in a transaction that is not kept, before any is done.
	tried := good[:0:0]
	for _, one := range good {
		var err error
		if one.would, err = h.relinkOne(ctx, req, one, true); err != nil {
			res.Problems = append(res.Problems, Problem{one.line, h.reword(ctx, err.Error())})
			continue
		}
		tried = append(tried, one)
	}
	res.Good = len(tried)
	s := h.speller()
	tell := func(one relink, o idstore.Operation) error {
		done := Relinked{Line: one.line, Type: req.Type, Old: s.spell(ctx, req.Type, one.before), New: s.spell(ctx, req.Type, one.now), Operation: uint64(o.ID)}
		if len(o.Changes) > 0 {
			done.Ref = h.handleOf(ctx, o.Changes[0].After)
		}
		return a.item(done)
	}
	if req.DryRun || len(res.Problems) > 0 && !req.KeepGoing && req.Match == "" {
		if len(res.Problems) > 0 && !req.DryRun {
			return nil, &Error{Message: fmt.Sprintf("%d of %d rows can not be relinked, and nothing was changed; mend them, or say --keep-going for the others", len(res.Problems), res.Looked), Problems: res.Problems}
		}
		for _, one := range tried {
			if err := tell(one, one.would); err != nil {
				return nil, err
			}
		}
		return res, nil
	}
	res.Good = 0
	for i, one := range tried {
		o, err := h.relinkOne(ctx, req, one, false)
		if err != nil {
			res.Problems = append(res.Problems, Problem{one.line, h.reword(ctx, err.Error())})
			continue
		}
		res.Good++
		if err := tell(one, o); err != nil {
			return nil, err
		}
		if i%100 == 99 {
			if err := a.progress(i+1, len(tried)); err != nil {
				return nil, err
			}
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return res, nil
}

func (h *Handler) relinkOne(ctx context.Context, req RelinksRequest, one relink, dry bool) (done idstore.Operation, err error) {
	err = h.Gateway.Operate(ctx, []idstore.Anchor{one.before, one.now}, func(tx idstore.Tx) (err error) {
		done, err = idstore.Relink(tx, one.entity, one.before, one.now, idstore.RelinkOptions{Absorb: req.Absorb, Note: idstore.Note{Who: req.Who, Why: req.Why}})
		if err == nil && dry {
			done.ID, err = 0, errDry // the number will be another
		}
		return err
	})
	if errors.Is(err, errDry) {
		err = nil
	}
	return done, err
}

// rows checks each row by itself and against the others.
func (h *Handler) rows(ctx context.Context, req RelinksRequest, res *RelinksResult, a *answer) (good []relink, err error) {
	olds, news := make(map[idstore.Anchor]int), make(map[idstore.Anchor]int)
	for i, row := range req.Rows {
		res.Looked++
		one, already, err := h.row(ctx, req.Type, row, olds, news)
		switch {
		case err != nil:
			res.Problems = append(res.Problems, Problem{row.Line, err.Error()})
		case already:
			res.Already++
		default:
			good = append(good, one)
		}
		if i%1000 == 999 {
			if err := a.progress(i+1, len(req.Rows)); err != nil {
				return nil, err
			}
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	good = apart(good, res)
	missing, err := h.gone(ctx, req.Type, good, func(one relink) idstore.Anchor { return one.now })
	if err != nil {
		return nil, err
	}
	kept := good[:0:0]
	for i, one := range good {
		if missing[i] {
			res.Problems = append(res.Problems, Problem{one.line, "the backend has no object with the new anchor"})
			continue
		}
		kept = append(kept, one)
	}
	return kept, nil
}

// apart leaves those out whose new anchor is the old one of another: with it they
// would take over the entity that the other is about.
func apart(good []relink, res *RelinksResult) []relink {
	olds := make(map[idstore.Anchor]int, len(good))
	for _, one := range good {
		olds[one.before] = one.line
	}
	kept := good[:0:0]
	for _, one := range good {
		if line, both := olds[one.now]; both && line != one.line {
			res.Problems = append(res.Problems, Problem{one.line, fmt.Sprintf("the new anchor is the old one of line %d: relink that first, from a file of its own", line)})
			continue
		}
		kept = append(kept, one)
	}
	return kept
}

func (h *Handler) row(ctx context.Context, kind string, row RelinkRow, olds, news map[idstore.Anchor]int) (one relink, already bool, err error) {
	one.line = row.Line
	var ok bool
	if one.before, ok = h.Gateway.Unspell(ctx, kind, row.Old); !ok {
		return one, false, fmt.Errorf("%q can be no anchor of a %s", row.Old, kind)
	}
	if one.now, ok = h.Gateway.Unspell(ctx, kind, row.New); !ok {
		return one, false, fmt.Errorf("%q can be no anchor of a %s", row.New, kind)
	}
	for _, side := range []struct {
		seen map[idstore.Anchor]int
		a    idstore.Anchor
		text string
	}{{olds, one.before, row.Old}, {news, one.now, row.New}} {
		if line, twice := side.seen[side.a]; twice {
			return one, false, fmt.Errorf("%q is in line %d already", side.text, line)
		}
		side.seen[side.a] = row.Line
	}
	err = h.Store.View(ctx, func(tx idstore.Tx) error {
		r, err := idstore.FindAnchor(tx, one.before)
		if err != nil {
			return err
		}
		if one.entity = r.Entity; r.Entity != 0 {
			return nil
		}
		// The row may have been done by an earlier run.
		history := false
		if r, err = idstore.FindAnchor(tx, one.now); err == nil && r.Entity != 0 {
			for o, err := range idstore.HistoryOf(tx, r.Entity, 0) {
				if err != nil {
					return err
				}
				if o.Kind == idstore.OperationRelink && o.UndoneBy == 0 && len(o.Changes) > 0 && linked(o.Changes[0].Before, one.before) {
					history = true
				}
			}
		}
		if already = history; already || err != nil {
			return err
		}
		return fmt.Errorf("%q is not linked to anything", row.Old)
	})
	return one, already, err
}

func linked(r idstore.Record, a idstore.Anchor) bool {
	for _, l := range r.Links {
		if l.Anchor == a {
			return true
		}
	}
	return false
}

// gone tells which of the objects are not there.
func (h *Handler) gone(ctx context.Context, kind string, all []relink, of func(relink) idstore.Anchor) ([]bool, error) {
	missing := make([]bool, 0, len(all))
	for len(missing) < len(all) {
		batch := all[len(missing):min(len(missing)+200, len(all))]
		anchors := make([]idstore.Anchor, len(batch))
		for i, one := range batch {
			anchors[i] = of(one)
		}
		there, err := h.Gateway.There(ctx, kind, anchors)
		if err != nil {
			return nil, err
		}
		for _, ok := range there {
			missing = append(missing, !ok)
		}
	}
	return missing, nil
}
