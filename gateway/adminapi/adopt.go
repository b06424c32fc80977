package adminapi

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"postern/connectors"
	"postern/gateway"
)

// AdoptRequest asks for ids for all objects of a resource type that have none yet
// or, with rows, for those ids that clients know already.
type AdoptRequest struct {
	Type   string     `json:"type"`
	Domain string     `json:"domain,omitempty"` // of the rows; and which alone, where ids are pairwise
	Rows   []AdoptRow `json:"rows,omitempty"`

	KeepGoing bool `json:"keepGoing,omitempty"`
	DryRun    bool `json:"dryRun,omitempty"`
}

// AdoptRow is an object with the id that clients know it by. Path and Value find
// it; Path "anchor" is its anchor.
type AdoptRow struct {
	Line       int    `json:"line"`
	ID         string `json:"id"`
	ExternalID string `json:"externalId,omitempty"`
	Path       string `json:"path"`
	Value      string `json:"value"`
}

// AdoptResult says what was, or would be, adopted.
type AdoptResult struct {
	Seen     int       `json:"seen"`
	New      int       `json:"new"`
	Problems []Problem `json:"problems"`
}

// domain returns the provisioning domain that is named or, where none is, the only
// one that there is.
func (h *Handler) domain(name, whose string) (string, error) {
	switch {
	case name == "" && len(h.Domains) == 1:
		return h.Domains[0], nil
	case name == "":
		return "", refuse("say with --domain whose %s; the file has %s", whose, strings.Join(h.Domains, ", "))
	case !slices.Contains(h.Domains, name):
		return "", refuse("no client is in the domain %q; the file has %s", name, strings.Join(h.Domains, ", "))
	}
	return name, nil
}

func (h *Handler) adopt(ctx context.Context, req AdoptRequest, a *answer) (any, error) {
	if req.Type == "" {
		return nil, refuse("name the resource type")
	}
	if err := h.served(req.Type); err != nil {
		return nil, err
	}
	if req.Domain != "" || req.Rows != nil {
		var err error
		if req.Domain, err = h.domain(req.Domain, "these ids are"); err != nil {
			return nil, err
		}
	}
	if req.Rows == nil {
		if req.DryRun {
			return nil, refuse("a dry run is for a file of ids; without one nothing is decided but which new ids the objects get")
		}
		domains := h.Domains
		if req.Domain != "" {
			domains = []string{req.Domain}
		}
		sum, err := h.Gateway.Adopt(ctx, req.Type, domains, func(s gateway.Adoption) error { return a.progress(s.Seen, 0) })
		return AdoptResult{Seen: sum.Seen, New: sum.New, Problems: []Problem{}}, err
	}
	rows := make([]gateway.Known, len(req.Rows))
	for i, r := range req.Rows {
		rows[i] = gateway.Known{Line: r.Line, ID: r.ID, ExternalID: r.ExternalID}
		if r.Path == prefixAnchor {
			anchor, ok := h.Gateway.Unspell(ctx, req.Type, r.Value)
			if !ok {
				return nil, refuse("line %d: %q can be no anchor of a %s; nothing was changed", r.Line, r.Value, req.Type)
			}
			rows[i].Anchor = connectors.Anchor(anchor.Key)
			continue
		}
		by, err := h.Gateway.Lookup(req.Type, r.Path, r.Value)
		if err != nil {
			return nil, refuse("line %d: %v; nothing was changed", r.Line, err)
		}
		rows[i].By = by
	}
	o := gateway.KnownOptions{DryRun: req.DryRun, KeepGoing: req.KeepGoing, Progress: func(s gateway.Adoption) error { return a.progress(s.Seen, len(rows)) }}
	sum, problems, err := h.Gateway.AdoptKnown(ctx, gateway.Caller{Domain: req.Domain}, req.Type, rows, o)
	if err != nil {
		return nil, err
	}
	res := AdoptResult{Seen: sum.Seen, New: sum.New, Problems: []Problem{}}
	for _, p := range problems {
		res.Problems = append(res.Problems, Problem{p.Line, h.reword(ctx, p.Err.Error())})
	}
	if len(problems) > 0 && !req.KeepGoing && !req.DryRun {
		return nil, &Error{Message: fmt.Sprintf("%d of %d rows can not be adopted, and nothing was changed; mend them, or say --keep-going for the others", len(problems), len(rows)), Problems: res.Problems}
	}
	return res, nil
}
