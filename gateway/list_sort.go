package gateway

import (
	"cmp"
	"slices"
	"strings"

	"postern/scim"
)

const (
	// sortBudget bounds the memory of one list while it is sorted, in bytes.
	sortBudget = 32 << 20
	// maxSorting is how many lists are walked to be sorted at the same time.
	maxSorting = 4
)

// sortText is what a resource is sorted by, or "".
func (s *section) sortText(r *scim.Resource) string { return s.Sort.Text(r) }

// A gathering puts the items of a list in their order.
type gathering struct {
	sorted, descending bool

	items  []item   // where nothing is sorted
	ranked []ranked // where it is
	bytes  int
}

// ranked is an item with the text that it is sorted by.
type ranked struct {
	item
	text string
}

func (l *lister) gathering() *gathering {
	return &gathering{sorted: l.sorted, descending: l.q.Descending}
}

// add takes an item in, unless what is sorted has become too much.
func (g *gathering) add(i item, text string) error {
	if !g.sorted {
		g.items = append(g.items, i)
		return nil
	}
	g.ranked = append(g.ranked, ranked{i, text})
	if g.bytes += 64 + len(i.anchor) + len(text); g.bytes > sortBudget {
		return scim.TooMany("there are too many resources to sort: the memory for it holds %d of these; use a narrower filter, or do not sort", len(g.ranked))
	}
	return nil
}

// inOrder returns the items in order. What has no value comes last, and first
// where the order is descending (RFC 7644 §3.4.2.3). What sorts alike is in the
// order of the sections and of the anchors.
func (g *gathering) inOrder() []item {
	if !g.sorted {
		slices.SortFunc(g.items, item.compare)
		return g.items
	}
	slices.SortFunc(g.ranked, func(a, b ranked) int {
		c := compareTexts(a.text, b.text)
		if g.descending {
			c = -c
		}
		return cmp.Or(c, a.compare(b.item))
	})
	items := make([]item, len(g.ranked))
	for i, r := range g.ranked {
		items[i] = r.item
	}
	return items
}

func (i item) compare(o item) int {
	return cmp.Or(cmp.Compare(i.section, o.section), cmp.Compare(i.anchor, o.anchor))
}

// compareTexts compares sort texts, of which the empty one is the greatest.
func compareTexts(a, b string) int {
	if a == "" || b == "" {
		return cmp.Compare(len(b), len(a))
	}
	return strings.Compare(a, b)
}
