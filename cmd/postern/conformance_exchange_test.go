package main

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// exchange is a request and what its answer must be, as it is written.
type exchange struct {
	method, target string
	query          []string // name=value
	headers        [][2]string
	body           requestBody

	status, scimType string
	details          []string
	answerHeaders    [][2]string
	empty            bool
	order            []string // names of resources; nil where nothing is said of the order
	pattern          string
	as               string
	saves            [][2]string // name, what
}

// requestBody is the body of a request: kind is the word that it begins with.
type requestBody struct{ kind, text string }

// bodyForms are what the words before a body put around it.
var bodyForms = map[string][2]string{
	"":       {"", ""},
	"ops":    {`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":`, `}`},
	"Bulk":   {`{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":`, `}`},
	"User":   {`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],`, ``},
	"Group":  {`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],`, ``},
	"Search": {`{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],`, ``},
}

func (p *conformParser) exchange(line string) func(*conformRun) {
	x := &exchange{}
	x.method, x.target, _ = strings.Cut(line, " ")
	p.uses(x.target)
	for {
		line, ok := p.peek()
		if !ok || line == "" && len(x.body.text) > 0 {
			wrong("the request has no => with the expected status")
		}
		p.next()
		switch {
		case line == "" || strings.HasPrefix(line, "# "):
		case strings.HasPrefix(line, "=> "):
			x.status, x.scimType, _ = strings.Cut(line[3:], " ")
			if _, err := strconv.Atoi(x.status); err != nil {
				wrong("%q is no status", x.status)
			}
			p.expectations(x)
			return x.do
		case strings.HasPrefix(line, "?"):
			x.query = append(x.query, line[1:])
			p.uses(line)
		case headerLine.MatchString(line):
			x.headers = append(x.headers, cutHeader(line))
			p.uses(line)
		default:
			x.body = p.requestBody(line)
		}
	}
}

func cutHeader(line string) [2]string {
	name, value, _ := strings.Cut(line, ":")
	return [2]string{http.CanonicalHeaderKey(name), strings.TrimSpace(value)}
}

// requestBody reads a body up to the line with =>.
func (p *conformParser) requestBody(line string) requestBody {
	if text, ok := strings.CutPrefix(line, "bytes "); ok {
		return requestBody{"bytes", p.quoted(text)}
	}
	b := requestBody{text: line}
	if word, rest, ok := strings.Cut(line, " "); ok && bodyForms[word][0] != "" {
		b = requestBody{word, rest}
	} else if !strings.ContainsAny(line[:1], "{[«\"") {
		wrong("%q is no header, no body and no =>", line)
	}
	for {
		line, ok := p.peek()
		if !ok || line == "" || strings.HasPrefix(line, "=> ") {
			break
		}
		b.text += "\n" + p.next()
	}
	p.uses(b.text)
	if strings.HasSuffix(bodyForms[b.kind][0], ",") { // the rest of an object
		var ok bool
		if b.text, ok = strings.CutPrefix(b.text, "{"); !ok {
			wrong("a body after %q begins with {", b.kind)
		}
	}
	return b
}

func (p *conformParser) expectations(x *exchange) {
	for {
		line, ok := p.peek()
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case !ok || line == "" || strings.HasPrefix(line, "## ") || strings.HasPrefix(line, "# ") || methodLine.MatchString(line):
			return
		}
		p.next()
		switch {
		case word == "detail":
			x.details = append(x.details, rest)
			p.uses(rest)
		case word == "empty":
			x.empty = true
		case word == "order":
			x.order = strings.Fields(rest)
			p.known(x.order...)
		case word == "as":
			x.as = rest
			p.define(rest)
		case word == "save":
			name, what, ok := strings.Cut(rest, " ")
			if !ok {
				wrong("write save name what")
			}
			p.define(name)
			x.saves = append(x.saves, [2]string{name, what})
		case headerLine.MatchString(line):
			x.answerHeaders = append(x.answerHeaders, cutHeader(line))
			p.uses(line)
		case strings.HasPrefix(line, "{"):
			x.pattern = p.pattern(line)
		default: // the next step
			p.at--
			return
		}
	}
}

// pattern reads the JSON of a pattern, which may go over several lines.
func (p *conformParser) pattern(text string) string {
	for !json.Valid([]byte(variable.ReplaceAllString(text, "x"))) {
		if line, ok := p.peek(); !ok || line == "" {
			wrong("the pattern is not JSON: %s", text)
		}
		text += "\n" + p.next()
	}
	p.uses(text)
	return text
}

// object checks that a text, if any, is a JSON object.
func (p *conformParser) object(text string) {
	var m map[string]any
	if text == "" {
		return
	}
	if err := json.Unmarshal([]byte(repeats(variable.ReplaceAllString(text, "x"))), &m); err != nil {
		wrong("not a JSON object: %v", err)
	}
}

// quoted reads a text in quotes.
func (p *conformParser) quoted(text string) string {
	s, err := strconv.Unquote(strings.TrimSpace(text))
	if err != nil {
		wrong("%s is not a text in quotes", text)
	}
	p.uses(s)
	return s
}

// repeats carries out «text»*n.
func repeats(text string) string {
	for {
		before, rest, ok := strings.Cut(text, "«")
		if !ok {
			return text
		}
		unit, rest, ok := strings.Cut(rest, "»*")
		end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
		if end < 0 {
			end = len(rest)
		}
		n, err := strconv.Atoi(rest[:end])
		if !ok || err != nil {
			wrong("a repetition is «text»*n")
		}
		text = before + strings.Repeat(unit, n) + rest[end:]
	}
}

// errorAnswer reports whether the answer must be a SCIM error.
func (x *exchange) errorAnswer() bool {
	return x.status[0] >= '4' && x.method != http.MethodHead
}
