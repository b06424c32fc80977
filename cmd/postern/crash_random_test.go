package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"postern/gateway/adminapi"
	"postern/idstore"
)

// crashWriter is one of several clients that write at once, each to persons of its own.
type crashWriter struct {
	w       *crashWorld
	random  *rand.Rand
	persons []*person
	group   string
	number  int
	pending *act // what it has no answer to
	acts    int  // that were answered
}

// act is one thing that a writer has done. again is what it does where it got no
// answer, and done is what it then knows.
type act struct {
	do, again func() error
	done      func()
}

// crashRandomly has several clients write at once, kills the gateway at an instant
// that the seed says, and lets them try again what they have no answer to; until
// so many kills are reached.
func crashRandomly(w *crashWorld, seed uint64, kills int) {
	w.t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	writers := make([]*crashWriter, 4)
	began := time.Now()
	for i := range writers {
		writers[i] = &crashWriter{w: w, random: rand.New(rand.NewPCG(seed, uint64(i)+2)), number: 80_000 + 1_000*i}
		first := w.hire()
		writers[i].persons = []*person{first}
		writers[i].group = w.group(fmt.Sprintf("of writer %d", i), first)
	}
	pace := time.Since(began) / time.Duration(2*len(writers)) // of one creation
	for round := 1; w.kills < kills; round++ {
		w.what = fmt.Sprintf("round %d of seed %d", round, seed)
		w.patience = 0
		w.struck, w.downAfter, w.recovering, w.atOnce = nil, false, random.IntN(3) == 0, nil
		errs := make([]error, len(writers))
		var running sync.WaitGroup
		for i, c := range writers {
			running.Go(func() { errs[i] = c.write() })
		}
		timer := time.AfterFunc(time.Duration(random.Float64()*float64(15*pace)), w.process.kill)
		running.Wait()
		timer.Stop()
		w.killed, w.died = true, "killed in the midst"
		w.kills++
		w.must(errors.Join(errs...))
		w.restart()
		w.check()
		for _, c := range writers {
			if a := c.pending; a != nil {
				w.must(a.again())
				w.must(w.settle())
				a.done()
				c.pending = nil
			}
			for _, p := range c.persons {
				w.is(p)
			}
		}
		w.check()
	}
	w.checkAll()
	for i, c := range writers {
		w.t.Logf("writer %d had %d answers and has %d persons left", i, c.acts, len(c.persons))
	}
}

// write does one thing after the other until the gateway is killed.
func (c *crashWriter) write() error {
	for {
		a := c.next()
		err := a.do()
		if errors.Is(err, errKilled) {
			c.pending = &a
			return nil
		}
		if err != nil {
			return err
		}
		a.done()
		c.acts++
	}
}

// next is what it does next.
func (c *crashWriter) next() act {
	if len(c.persons) < 2 {
		return c.hires()
	}
	at := c.random.IntN(len(c.persons))
	p := c.persons[at]
	switch c.random.IntN(8) {
	case 0, 1:
		return c.hires()
	case 2:
		return c.fires(at)
	case 3:
		return c.merges(at)
	case 4:
		changed := *p
		changed.userName = fmt.Sprintf("n%d-%s", c.random.IntN(1000), p.number) + c.w.shape.suffix
		return c.changes(p, changed, func() string { return replaceOp("userName", changed.userName) })
	case 5:
		do := func() error {
			return c.w.patch("/Groups/"+c.group, `{"op":"add","path":"members","value":[{"value":"`+p.id+`"}]}`)
		}
		return act{do: do, again: do, done: func() {}}
	}
	changed := *p
	changed.title, changed.external = fmt.Sprint("t", c.random.IntN(1000)), fmt.Sprint("x", c.random.IntN(1000), "-", p.number)
	return c.changes(p, changed, func() string {
		return replaceOp("title", changed.title) + "," + replaceOp("externalId", changed.external)
	})
}

func (c *crashWriter) hires() act {
	c.number++
	p := &person{number: fmt.Sprint(c.number), title: "t0"}
	p.userName = "crash" + p.number + c.w.shape.suffix
	if c.number%2 == 0 {
		p.external = "x-" + p.number
	}
	return act{
		do:    func() error { return c.w.post(p) },
		again: func() error { return c.w.postAgain(p) },
		done:  func() { c.persons = append(c.persons, p) },
	}
}

func (c *crashWriter) fires(at int) act {
	p := c.persons[at]
	c.w.tells(p.id, p.number, "")
	return act{
		do:    func() error { return c.w.remove("/Users/"+p.id, false) },
		again: func() error { return c.w.remove("/Users/"+p.id, true) },
		done: func() {
			c.w.tells(p.id, "")
			c.drop(p)
		},
	}
}

// merges merges one person into another, and the alias goes: the deferred work is
// done meanwhile.
func (c *crashWriter) merges(at int) act {
	p, old := c.persons[at], c.persons[(at+1)%len(c.persons)]
	c.w.tells(old.id, old.number, p.number, "")
	merge := func() error {
		return c.w.operate(adminapi.OperateRequest{Do: "merge", Ref: old.id, Into: p.id, Leftover: idstore.ActionDelete.String()})
	}
	return act{
		do: func() error {
			err := merge()
			for err != nil && strings.Contains(err.Error(), idstore.ErrBusy.Error()) { // what an earlier one left is being deleted
				err = merge()
			}
			if err == nil {
				err = c.w.remove("/Users/"+old.id, false)
			}
			return err
		},
		again: func() error {
			if err := merge(); errors.Is(err, errKilled) { // it may be done already, and is refused then
				return err
			}
			return c.w.remove("/Users/"+old.id, true)
		},
		done: func() {
			c.w.tells(old.id, "")
			c.drop(old)
			if p.external == "" {
				p.external = old.external
			}
		},
	}
}

func (c *crashWriter) changes(p *person, to person, ops func() string) act {
	do := func() error { return c.w.patch("/Users/"+p.id, ops()) }
	return act{do: do, again: do, done: func() { *p = to }}
}

func (c *crashWriter) drop(p *person) {
	for i, same := range c.persons {
		if same == p {
			c.persons = append(c.persons[:i], c.persons[i+1:]...)
			return
		}
	}
}
