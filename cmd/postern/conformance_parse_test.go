package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// conformTable is one file of cases.
type conformTable struct {
	name   string
	shared []conformStep // done once, before all cases
	cases  []*conformCase
}

type conformCase struct {
	line         int
	title        string
	needs, lacks []string
	steps        []conformStep
}

// runsIn reports whether a world with these abilities carries out the case.
func (c *conformCase) runsIn(able map[string]bool) bool {
	return !slices.ContainsFunc(c.needs, func(a string) bool { return !able[a] }) &&
		!slices.ContainsFunc(c.lacks, func(a string) bool { return able[a] })
}

// conformStep is a statement of a case with its line.
type conformStep struct {
	line int
	do   func(*conformRun)
}

// conformParser reads one file.
type conformParser struct {
	name   string
	lines  []string
	at     int             // the next line, from 0
	shared map[string]bool // the names that the file makes
	names  map[string]bool // the names that may be used here
}

var (
	titles     = regexp.MustCompile(`^(RFC \d+ §[\dA-Z.]+|docs/[a-z]+\.md|[a-z0-9-]+ §[\d.]+)[:,] \S`)
	methodLine = regexp.MustCompile(`^[A-Z]+ [/*]`)
	headerLine = regexp.MustCompile(`^[A-Z][A-Za-z-]*:( |$)`)
	nameWord   = regexp.MustCompile(`^[a-z][A-Za-z0-9]*$`)
	variable   = regexp.MustCompile(`\{([a-z][A-Za-z0-9]*)(?:\.(name|stem|etag|location))?\}`)
)

// builtIn are the variables that are always there.
var builtIn = []string{"any", "base", "enterprise", "me", "missing"}

// mistake is thrown by the parsers of statements, and becomes an error with its line.
type mistake string

func wrong(format string, args ...any) { panic(mistake(fmt.Sprintf(format, args...))) }

func parseConformTable(name, text string) (table *conformTable, err error) {
	p := &conformParser{name: name, lines: strings.Split(text, "\n"), shared: map[string]bool{}}
	defer func() {
		if m, ok := recover().(mistake); ok {
			table, err = nil, fmt.Errorf("%s:%d: %s", name, p.at, string(m))
		}
	}()
	table = &conformTable{name: strings.TrimSuffix(name, ".txt")}
	p.names = p.shared
	table.shared = p.steps(nil)
	for p.at < len(p.lines) {
		title := strings.TrimPrefix(p.next(), "## ")
		if !titles.MatchString(title) {
			wrong("the title %q does not begin with a section, as in \"RFC 7644 §3.3: ...\"", title)
		}
		c := &conformCase{line: p.at, title: title}
		p.names = make(map[string]bool)
		for n := range p.shared {
			p.names[n] = true
		}
		c.steps = p.steps(c)
		if len(c.steps) == 0 {
			p.at = c.line
			wrong("the case %q does nothing", title)
		}
		table.cases = append(table.cases, c)
	}
	if len(table.cases) == 0 {
		wrong("the table holds no case")
	}
	return table, nil
}

// steps reads statements up to the next case.
func (p *conformParser) steps(c *conformCase) []conformStep {
	var steps []conformStep
	for {
		line, ok := p.peek()
		if !ok || strings.HasPrefix(line, "## ") {
			return steps
		}
		p.next()
		if line == "" || strings.HasPrefix(line, "# ") {
			continue
		}
		at := p.at
		if do := p.statement(c, line); do != nil {
			steps = append(steps, conformStep{at, do})
		}
	}
}

func (p *conformParser) statement(c *conformCase, line string) func(*conformRun) {
	if methodLine.MatchString(line) {
		return p.exchange(line)
	}
	word, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	switch word {
	case "needs", "lacks":
		if c == nil {
			wrong("%q belongs into a case", word)
		}
		list := strings.Split(strings.ReplaceAll(rest, "{enterprise}", enterpriseURN), ", ")
		if word == "needs" {
			c.needs = append(c.needs, list...)
		} else {
			c.lacks = append(c.lacks, list...)
		}
		return nil
	case "client":
		if _, ok := conformClients[rest]; !ok {
			wrong("there is no client %q", rest)
		}
		return func(r *conformRun) { r.client.token = conformClients[rest] }
	case "name":
		p.define(rest)
		return func(r *conformRun) { r.invent(rest) }
	case "user":
		name, more, _ := strings.Cut(rest, " ")
		p.uses(more)
		p.define(name)
		p.object(more)
		return func(r *conformRun) { r.makeUser(name, more) }
	case "group":
		names := strings.Fields(rest)
		if len(names) == 0 {
			wrong("a group without a name")
		}
		p.known(names[1:]...)
		p.define(names[0])
		return func(r *conformRun) { r.makeGroup(names[0], names[1:]) }
	case "find":
		return p.find(rest)
	case "state":
		return p.state(rest)
	case "binds":
		who, password, ok := strings.Cut(strings.TrimPrefix(rest, "not "), " ")
		if !ok {
			wrong("write binds u1 \"password\"")
		}
		p.known(who)
		want, text := !strings.HasPrefix(rest, "not "), p.quoted(password)
		return func(r *conformRun) { r.binds(who, text, want) }
	}
	wrong("%q is no statement", line)
	return nil
}

func (p *conformParser) peek() (string, bool) {
	if p.at >= len(p.lines) {
		return "", false
	}
	return strings.TrimRight(p.lines[p.at], " \r"), true
}

func (p *conformParser) next() string {
	line, _ := p.peek()
	p.at++
	return line
}

func (p *conformParser) define(name string) {
	if !nameWord.MatchString(name) || slices.Contains(builtIn, name) || name == "none" || name == "gone" {
		wrong("%q can not be a name", name)
	}
	p.names[name] = true
}

func (p *conformParser) known(names ...string) {
	for _, n := range names {
		if !p.names[n] {
			wrong("nothing is called %q here", n)
		}
	}
}

// uses checks the variables of a text.
func (p *conformParser) uses(text string) {
	for _, m := range variable.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(builtIn, m[1]) {
			p.known(m[1])
		}
	}
}
