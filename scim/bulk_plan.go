package scim

import (
	"net/http"
	"slices"
)

// A BulkStep is one thing to do for a bulk request.
type BulkStep struct {
	Index int // of the operation
	// Left names the bulkIds whose resources can not be made before this one,
	// since they refer to it: the references to them are left out.
	Left []string
	// Complete is the second half of such an operation: the references that were
	// left out are put in.
	Complete bool
}

// Steps returns the order in which to carry out the operations: that of the
// request, but that a resource is made before it is named (RFC 7644 §3.7), and
// that of resources which refer to each other one is made without its references,
// which are put in when the others are there (§3.7.1).
func (b *Bulk) Steps() []BulkStep {
	p := bulkPlan{state: make([]bulkState, len(b.Operations)), open: make([][]int, len(b.Operations))}
	declared := make(map[string]int)
	for i := range b.Operations {
		if op := &b.Operations[i]; op.BulkID != "" && op.Method == http.MethodPost {
			declared[op.BulkID] = i
		}
	}
	for i := range b.Operations {
		p.needs = append(p.needs, b.Operations[i].needs(declared))
	}
	for i := range b.Operations {
		p.visit(i)
	}
	return p.steps
}

type bulkState uint8

const (
	bulkWaiting bulkState = iota
	bulkVisiting
	bulkPlanned
)

// A bulkPlan is the order of a bulk request in the making.
type bulkPlan struct {
	needs [][]need // by operation
	state []bulkState
	open  [][]int // by operation: those that left out a reference to it
	steps []BulkStep
}

// A need is a bulkId that an operation names, and the operation that makes its
// resource.
type need struct {
	name string
	at   int
}

// needs returns what the operation names and another makes, each once: a request
// may name one a million times.
func (o *BulkOperation) needs(declared map[string]int) []need {
	var needs []need
	known := make(map[int]bool)
	for _, name := range o.names {
		if at, ok := declared[name]; ok && !known[at] {
			known[at] = true
			needs = append(needs, need{name, at})
		}
	}
	return needs
}

func (p *bulkPlan) visit(i int) {
	if p.state[i] != bulkWaiting {
		return
	}
	p.state[i] = bulkVisiting
	var left []string
	for _, n := range p.needs[i] {
		if p.visit(n.at); p.state[n.at] == bulkVisiting {
			left = append(left, n.name)
			p.open[n.at] = append(p.open[n.at], i)
		}
	}
	p.steps = append(p.steps, BulkStep{Index: i, Left: left})
	p.state[i] = bulkPlanned
	for _, waiting := range p.open[i] {
		if p.ready(waiting) {
			p.steps = append(p.steps, BulkStep{Index: waiting, Complete: true})
		}
	}
}

// ready reports whether everything that an operation names is planned.
func (p *bulkPlan) ready(i int) bool {
	return !slices.ContainsFunc(p.needs[i], func(n need) bool { return p.state[n.at] != bulkPlanned })
}
