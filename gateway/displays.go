package gateway

import (
	"context"

	"postern/connectors"
	"postern/mapping"
)

// displays reads how the resources are called that entries refer to, aligned
// with the entries: one search in each collection, whatever the number of
// entries and references. Where another object stands in for a named one, it says
// how the resource is called. What is not there any more shows nothing.
func (g *Gateway) displays(ctx context.Context, entries []connectors.Entry, stands standIns, show []mapping.Display) ([]mapping.Displays, error) {
	shown := make([]mapping.Displays, len(entries))
	searches := make(map[*target]*labels)
	for i := range entries {
		for _, d := range show {
			refs := entries[i].Field(d.Attr).Refs
			if len(refs) == 0 {
				continue
			}
			texts := make([]string, len(refs))
			if shown[i] == nil {
				shown[i] = make(mapping.Displays, len(show))
			}
			shown[i][d.Of] = texts
			for j := range refs {
				named := stands.of(refs[j])
				other, ok := g.targets[named.Collection]
				if !ok {
					continue
				}
				label, ok := other.Mapping.Label(d.Path)
				if !ok {
					continue
				}
				if searches[other] == nil {
					searches[other] = &labels{places: make(map[connectors.Anchor][]labelled)}
				}
				searches[other].add(named.Anchor, labelled{label: label, text: &texts[j]})
			}
		}
	}
	for other, s := range searches {
		found, err := other.fetch(ctx, s.anchors, s.want)
		if err != nil {
			return nil, fault(other.Mapping, err)
		}
		for _, e := range found {
			for _, p := range s.places[e.Anchor] {
				*p.text = p.label.Of(e)
			}
		}
	}
	return shown, nil
}

// labels are what is to be read in one collection.
type labels struct {
	anchors connectors.AnchorIn // each once
	want    []connectors.Attr
	places  map[connectors.Anchor][]labelled
}

// labelled is where the label of a referenced object is to be written.
type labelled struct {
	label mapping.Label
	text  *string
}

func (l *labels) add(a connectors.Anchor, p labelled) {
	places, known := l.places[a]
	if !known {
		l.anchors = append(l.anchors, a)
	}
	l.places[a] = append(places, p)
	for _, have := range l.want {
		if have == p.label.Attr() {
			return
		}
	}
	l.want = append(l.want, p.label.Attr())
}
