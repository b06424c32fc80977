package adminapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"postern/gateway"
	"postern/idstore"
)

// OperateRequest asks for one operation of the identity table.
type OperateRequest struct {
	Do  string `json:"do"`  // merge, split, relink or undo
	Ref string `json:"ref"` // whom it is about: of a merge, who goes

	Into     string `json:"into,omitempty"`     // of a merge, who stays
	Leftover string `json:"leftover,omitempty"` // of a merge: keep, disable or delete

	Links       []string     `json:"links,omitempty"` // of a split: what leaves
	IDs         []string     `json:"ids,omitempty"`
	ExternalIDs []ExternalID `json:"externalIds,omitempty"`

	From   string `json:"from,omitempty"` // of a relink: anchors; From may be left out where there is one link
	To     string `json:"to,omitempty"`
	Absorb bool   `json:"absorb,omitempty"`

	Who    string `json:"who,omitempty"`
	Why    string `json:"why,omitempty"`
	DryRun bool   `json:"dryRun,omitempty"`
	// Expect is what an earlier dry run had as its Digest: the operation is refused
	// where it would now be another.
	Expect string `json:"expect,omitempty"`
}

// OperateResult is what an operation changed, or would change.
type OperateResult struct {
	Operation Operation `json:"operation"`
	// Undone is what an undo takes back.
	Undone   *Operation `json:"undone,omitempty"`
	Digest   string     `json:"digest"`
	Warnings []string   `json:"warnings,omitempty"`
}

// errDry ends a transaction that is not to be kept.
var errDry = errors.New("a dry run")

func (h *Handler) operate(ctx context.Context, req OperateRequest, a *answer) (any, error) {
	note := idstore.Note{Who: req.Who, Why: req.Why}
	var concerned []idstore.Anchor
	var warnings []string
	var undone idstore.Operation // by an undo
	var carryOut func(idstore.Tx) (idstore.Operation, error)
	switch req.Do {
	case "merge":
		from, into, err := h.pair(ctx, req)
		if err != nil {
			return nil, err
		}
		leftover, err := h.leftover(req.Leftover, from.Type)
		if err != nil {
			return nil, err
		}
		if there, err := h.Gateway.There(ctx, into.Type, []idstore.Anchor{into.Anchor()}); err != nil {
			warnings = append(warnings, "the backend could not be asked whether the object of who stays is there: "+err.Error())
		} else if !there[0] {
			return nil, refuse("the object of %q is not in its backend, and all ids would answer 404: merge the other way round, or relink it first", req.Into)
		}
		concerned = append(anchorsOf(from), anchorsOf(into)...)
		carryOut = func(tx idstore.Tx) (idstore.Operation, error) {
			return idstore.Merge(tx, from.Entity, into.Entity, idstore.MergeOptions{Leftover: leftover, Note: note})
		}
	case "split":
		r, o, err := h.parts(ctx, req)
		if err != nil {
			return nil, err
		}
		o.Note = note
		if len(o.IDs) == 0 {
			warnings = append(warnings, "no id leaves: clients know the new half by a fresh one, once they see it")
		}
		concerned = anchorsOf(r)
		carryOut = func(tx idstore.Tx) (idstore.Operation, error) { return idstore.Split(tx, r.Entity, o) }
	case "relink":
		r, before, now, err := h.link(ctx, req)
		if err != nil {
			return nil, err
		}
		if there, err := h.Gateway.There(ctx, r.Type, []idstore.Anchor{now}); err == nil && !there[0] {
			return nil, refuse("the backend has no object %q among its %ss", req.To, r.Type)
		} else if err != nil {
			warnings = append(warnings, "the backend could not be asked whether the object is there: "+err.Error())
		}
		concerned = append(anchorsOf(r), now)
		carryOut = func(tx idstore.Tx) (idstore.Operation, error) {
			return idstore.Relink(tx, r.Entity, before, now, idstore.RelinkOptions{Absorb: req.Absorb, Note: note})
		}
	case "undo":
		entity, err := h.ever(ctx, req.Ref)
		if err != nil {
			return nil, err
		}
		if concerned, err = h.anchorsEver(ctx, entity); err != nil {
			return nil, err
		}
		carryOut = func(tx idstore.Tx) (idstore.Operation, error) {
			o, err := idstore.Undo(tx, entity, note)
			if err == nil {
				undone, err = idstore.OperationByID(tx, o.Undoes)
			}
			return o, err
		}
	default:
		return nil, refuse("there is no operation %q", req.Do)
	}
	var done idstore.Operation
	err := h.Gateway.Operate(ctx, concerned, func(tx idstore.Tx) (err error) {
		if done, err = carryOut(tx); err != nil {
			return err
		}
		if req.Expect != "" && digest(done) != req.Expect {
			return refuse("it has changed since it was shown; nothing was done: look again")
		}
		if req.DryRun {
			return errDry
		}
		return nil
	})
	if err != nil && !errors.Is(err, errDry) {
		return nil, h.explainOperation(ctx, req, err)
	}
	s := h.speller()
	res := OperateResult{Operation: s.operation(ctx, done), Digest: digest(done), Warnings: warnings}
	if undone.ID != 0 {
		is := s.operation(ctx, undone)
		res.Undone = &is
		res.Warnings = append(res.Warnings, h.lasting(ctx, undone)...)
	}
	return res, nil
}

// lasting says what of an operation stays although it is undone: what a backend
// was told already.
func (h *Handler) lasting(ctx context.Context, o idstore.Operation) (warnings []string) {
	s := h.speller()
	for _, l := range o.Leftovers {
		if l.State == idstore.LeftoverDone && len(o.Changes) > 0 {
			warnings = append(warnings, fmt.Sprintf("to %s the object %s was done on %s, and is not taken back", l.Action, s.spell(ctx, o.Changes[0].Before.Type, l.Anchor), l.At.UTC().Format(time.DateTime)))
		}
	}
	if o.Kind != idstore.OperationDelete {
		return warnings
	}
	for _, c := range o.Changes {
		if c.After.Retired {
			warnings = append(warnings, fmt.Sprintf("the object %s stays as the deletion left it, disabled or moved away: enable it, or move it back; as long as it lies outside the base its id answers 404", s.spell(ctx, c.Before.Type, c.Before.Anchor())))
			continue
		}
		there, err := h.Gateway.There(ctx, c.Before.Type, []idstore.Anchor{c.Before.Anchor()})
		if err == nil && !there[0] {
			warnings = append(warnings, fmt.Sprintf("the object %s is not in its backend: the id comes back and answers 404 until the object does, or until it is relinked", s.spell(ctx, c.Before.Type, c.Before.Anchor())))
		}
	}
	return warnings
}

// explainOperation says what to do about a refusal.
func (h *Handler) explainOperation(ctx context.Context, req OperateRequest, err error) error {
	switch {
	case errors.Is(err, idstore.ErrTaken) && req.Do == "relink" && !req.Absorb:
		return refuse("%v: if that is no more than what a list made of the same object, say --absorb; if it is the same person, merge %q into that one", err, req.Ref)
	case errors.Is(err, idstore.ErrTaken) && req.Do == "relink":
		return refuse("%v: it is more than what a list made of an object; if it is the same person, merge %q into that one", err, req.Ref)
	case errors.Is(err, idstore.ErrBusy):
		return refuse("%v; nothing was changed: see `postern ids work` for what waits, is held, or can be cancelled, else try again in a moment", err)
	case errors.Is(err, idstore.ErrNotFound) && req.Do == "undo":
		return refuse("there is nothing to take back of %q: every operation of it is undone, or it had none", req.Ref)
	case errors.Is(err, idstore.ErrChanged):
		return refuse("%v; nothing was changed: what was merged can be split, what was split can be merged", err)
	case errors.Is(err, idstore.ErrTaken) && req.Do == "undo":
		return refuse("%v, so the newest operation of %q can not be taken back; nothing was changed: `postern ids history %s` shows it", err, req.Ref, req.Ref)
	case errors.Is(err, idstore.ErrInvalid) && req.Do == "split":
		return refuse("%v; nothing was changed: each half needs an object, and the old one an id", err)
	case errors.Is(err, idstore.ErrNotFound) && req.Do == "split":
		return refuse("%v; nothing was changed: `postern ids show` lists what it has", err)
	case errors.Is(err, idstore.ErrNotFound) && req.Do == "merge": // both were there when it began
		return refuse("what %q or %q names was merged or deleted by another at this moment; nothing was done: look again", req.Ref, req.Into)
	}
	return err
}

// digest tells operations apart by what they change.
func digest(o idstore.Operation) string {
	var plain []any
	for _, c := range o.Changes {
		for _, r := range []idstore.Record{c.Before, c.After} {
			if c.Before.Entity == 0 { // a new one has another number each time
				r.Entity, r.Created = 0, time.Time{}
			}
			plain = append(plain, r)
		}
	}
	for _, l := range o.Leftovers {
		plain = append(plain, l.Anchor, l.Action)
	}
	text, err := json.Marshal(plain)
	if err != nil {
		panic(err) // records and anchors are plain data
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

func anchorsOf(r idstore.Record) (anchors []idstore.Anchor) {
	for _, l := range r.Links {
		anchors = append(anchors, l.Anchor)
	}
	return anchors
}

// pair returns the two entities of a merge.
func (h *Handler) pair(ctx context.Context, req OperateRequest) (from, into idstore.Record, err error) {
	if from, err = h.one(ctx, req.Ref); err != nil {
		return from, into, err
	}
	if into, err = h.one(ctx, req.Into); err != nil {
		return from, into, err
	}
	if from.Entity == into.Entity {
		return from, into, refuse("%q and %q are one %s already", req.Ref, req.Into, from.Type)
	}
	if from.Type != into.Type {
		return from, into, refuse("a merge of a %s into a %s can not be: both have to be of one resource type", from.Type, into.Type)
	}
	return from, into, nil
}

// leftover reads what is to become of the objects of who goes.
func (h *Handler) leftover(text, kind string) (idstore.Action, error) {
	switch text {
	case "", idstore.ActionKeep.String():
		return idstore.ActionKeep, nil
	case idstore.ActionDelete.String():
		return idstore.ActionDelete, nil
	case idstore.ActionDisable.String():
		if !h.Gateway.Disables(kind) {
			return 0, refuse("the mapping of %s has no `active` that could be written, so nothing can be disabled; say keep or delete", kind)
		}
		return idstore.ActionDisable, nil
	}
	return 0, refuse("%q is nothing that can become of an object; say keep, disable or delete", text)
}

// parts returns the entity of a split and what leaves it.
func (h *Handler) parts(ctx context.Context, req OperateRequest) (r idstore.Record, o idstore.SplitOptions, err error) {
	if r, err = h.one(ctx, req.Ref); err != nil {
		return r, o, err
	}
	if len(req.Links) == 0 {
		return r, o, refuse("name at least one link that leaves; %q has %s", req.Ref, h.linksOf(ctx, r))
	}
	for _, text := range req.Links {
		a, err := h.linkOf(ctx, r, text)
		if err != nil {
			return r, o, err
		}
		o.Links = append(o.Links, a)
	}
	for _, text := range req.IDs {
		id, ok := idstore.ParsePublicID(text)
		if !ok {
			return r, o, refuse("%q is no id", text)
		}
		o.IDs = append(o.IDs, id)
	}
	for _, x := range req.ExternalIDs {
		o.ExternalIDs = append(o.ExternalIDs, idstore.ExternalID{Domain: idstore.Domain(x.Domain), Value: x.Value})
	}
	return r, o, nil
}

// link returns the entity of a relink, the anchor that it loses and the new one.
func (h *Handler) link(ctx context.Context, req OperateRequest) (r idstore.Record, before, now idstore.Anchor, err error) {
	if r, err = h.one(ctx, req.Ref); err != nil {
		return r, before, now, err
	}
	switch {
	case req.From != "":
		before, err = h.linkOf(ctx, r, req.From)
	case len(r.Links) > 1:
		err = refuse("%q has several links; name the one that is replaced: %s", req.Ref, h.linksOf(ctx, r))
	default:
		before = r.Anchor()
	}
	if err != nil {
		return r, before, now, err
	}
	now, ok := h.Gateway.Unspell(ctx, r.Type, req.To)
	if !ok {
		return r, before, now, refuse("%q can be no anchor of a %s", req.To, r.Type)
	}
	return r, before, now, nil
}

// linkOf returns the link of an entity that a text means.
func (h *Handler) linkOf(ctx context.Context, r idstore.Record, text string) (idstore.Anchor, error) {
	s := h.speller()
	a, ok := h.Gateway.Unspell(ctx, r.Type, text)
	for _, l := range r.Links {
		if ok && l.Anchor == a || s.spell(ctx, r.Type, l.Anchor) == text || gateway.SpellAlone(l.Anchor) == text ||
			hex.EncodeToString([]byte(l.Key)) == strings.ToLower(strings.ReplaceAll(text, "-", "")) { // as it is written while its backend answers
			return l.Anchor, nil
		}
	}
	return a, refuse("%q is no link of it; it has %s", text, h.linksOf(ctx, r))
}

func (h *Handler) linksOf(ctx context.Context, r idstore.Record) string {
	s := h.speller()
	var texts []string
	for _, l := range r.Links {
		texts = append(texts, fmt.Sprintf("%s (%s)", s.spell(ctx, r.Type, l.Anchor), l.Backend))
	}
	return strings.Join(texts, ", ")
}

// anchorsEver returns the anchors that the newest operation of an entity is about.
func (h *Handler) anchorsEver(ctx context.Context, e idstore.EntityID) (anchors []idstore.Anchor, err error) {
	err = h.Store.View(ctx, func(tx idstore.Tx) error {
		for o, err := range idstore.HistoryOf(tx, e, 0) {
			if err != nil {
				return err
			}
			for _, c := range o.Changes {
				anchors = append(append(anchors, anchorsOf(c.Before)...), anchorsOf(c.After)...)
			}
			if o.Kind != idstore.OperationUndo && o.UndoneBy == 0 {
				break
			}
		}
		return nil
	})
	return anchors, err
}
