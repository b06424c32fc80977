package rest

import (
	"net/http"
	"slices"
	"strings"

	"postern/configs"
	"postern/connectors"
)

// callDecoder reads calls that may have these placeholders in their targets and
// in their bodies.
type callDecoder struct {
	ps     *configs.Problems
	target []string
	body   []string
	sends  bool // the object goes into the body, so that it may say where
}

var methods = []string{"get", "post", "put", "patch", "delete"}

// call reads a call: its target alone, which is then a GET, or a map.
func (d callDecoder) call(n *configs.Node) Call {
	if n.Kind() != configs.Mapping {
		target := n.String(d.ps)
		return d.finish(Call{Method: http.MethodGet, at: target}, target)
	}
	m := n.Map(d.ps)
	c := d.fields(m)
	m.Done()
	return c
}

// fields reads the keys that every call may have.
func (d callDecoder) fields(m *configs.Map) Call {
	var c Call
	var target configs.At[string]
	for _, method := range methods {
		at := m.String(method)
		if !at.Set {
			continue
		}
		if c.Method != "" {
			d.ps.Add(at.Problem("a call has one method"))
			continue
		}
		c.Method, target = strings.ToUpper(method), at
	}
	if c.Method == "" {
		d.ps.Add(m.Problem("no method is named").WithHint("as in get: /users.json; known here: %s", strings.Join(methods, ", ")))
	}
	c.at = target
	c.Headers = decodeHeaders(m.Child("headers"), d.ps)
	switch m.Enum("as", "json", "form", "xml").Value {
	case "form":
		c.Form = FormURL
	case "xml":
		c.Form = FormXML
	}
	if d.sends {
		c.Wrap = decodePointer(m.String("wrap"), d.ps)
	}
	object := m.String("object")
	c.Object, c.HasObject = decodePointer(object, d.ps), object.Set
	if m.Has("body") {
		c.Body = d.tree(m.Child("body"))
	}
	for _, a := range m.Strings("without") {
		decodePointer(a, d.ps)
		c.Without = append(c.Without, connectors.Attr(a.Value))
	}
	if key := m.String("idempotencyKey"); key.Value != "" {
		if c.Key = key.Value; !headerName.MatchString(key.Value) {
			d.ps.Add(key.Problem("%q is not the name of a header", key.Value))
		}
	}
	c.Safe = m.Bool("repeatable").Value
	return d.finish(c, target)
}

func (d callDecoder) finish(c Call, target configs.At[string]) Call {
	if target.Value == "" {
		return c
	}
	t, err := parseTemplate(target.Value, d.target...)
	if err != nil {
		d.ps.Add(target.Problem("%s", err).WithHint("as in /users/{anchor}.json"))
	}
	c.Target = t
	return c
}

// tree reads a body as the file has it. Text is checked for its placeholders.
func (d callDecoder) tree(n *configs.Node) any {
	switch n.Kind() {
	case configs.Mapping:
		o := make(map[string]any)
		for key, value := range n.Map(d.ps).Each() {
			o[key.Value] = d.tree(value)
		}
		return o
	case configs.List:
		list := []any{}
		for _, item := range n.List(d.ps) {
			list = append(list, d.tree(item))
		}
		return list
	case configs.Scalar:
		var not configs.Problems
		if v := n.Int(&not, -1<<53, 1<<53); len(not) == 0 {
			return v.Value
		}
		not = nil
		if v := n.Bool(&not); len(not) == 0 {
			return v.Value
		}
		text := n.Text(d.ps)
		for rest := text.Value; ; {
			_, after, found := strings.Cut(rest, "{")
			if !found {
				return text.Value
			}
			name, tail, closed := strings.Cut(after, "}")
			name, kind, typed := strings.Cut(name, ":")
			switch {
			case !closed || !slices.Contains(d.body, name):
				d.ps.Add(text.Problem("there is no placeholder {%s} here, but %s", name, braced(d.body)))
				return text.Value
			case name == phMembers && text.Value != "{members}" && text.Value != "{members:integer}":
				d.ps.Add(text.Problem("{members} is a list, and the whole of a text"))
				return text.Value
			case typed && (kind != "integer" || text.Value != "{"+name+":integer}"):
				d.ps.Add(text.Problem("only a whole value can be of another type, and that is {%s:integer}", name))
				return text.Value
			}
			rest = tail
		}
	}
	return nil
}

// list reads a call that answers with objects; inherit is what it need not say.
func (d callDecoder) list(n *configs.Node, inherit List) List {
	if n.Kind() != configs.Mapping {
		l := inherit
		l.Call = d.call(n)
		l.Without = inherit.Without
		return l
	}
	m := n.Map(d.ps)
	l := List{Call: d.fields(m), Items: inherit.Items, Total: inherit.Total, Page: inherit.Page}
	if l.Without == nil {
		l.Without = inherit.Without
	}
	if items := m.String("items"); items.Set {
		l.Items = decodePointer(items, d.ps)
	} else if l.HasObject {
		l.Items, l.Page = nil, Page{} // one object, and no list
	}
	if total := m.String("total"); total.Set {
		l.Total = decodePointer(total, d.ps)
	}
	if page := m.Child("page"); page != nil {
		l.Page = d.page(page)
	}
	m.Done()
	return l
}

// page reads how lists are cut. Which keys there are says which way it is.
func (d callDecoder) page(n *configs.Node) Page {
	m := n.Map(d.ps)
	var p Page
	param := func(key string) string {
		a := m.String(key)
		if a.Value != "" && !paramName.MatchString(a.Value) {
			d.ps.Add(a.Problem("%q is not the name of a parameter", a.Value))
		}
		return a.Value
	}
	p.Offset, p.Number, p.Cursor, p.Limit = param("offset"), param("page"), param("cursor"), param("limit")
	first := m.Int("first", 0, 1)
	p.First = first.Or(1)
	p.Size = m.Int("max", 1, 100_000).Value
	next, nextURL, link := m.String("next"), m.String("nextURL"), m.String("link")
	ways := 0
	for _, w := range []struct {
		on    bool
		style PageStyle
	}{{p.Offset != "", PageOffset}, {p.Number != "", PageNumber}, {p.Cursor != "", PageCursor}, {nextURL.Set, PageURL}, {link.Set, PageLink}} {
		if w.on {
			ways++
			p.Style = w.style
		}
	}
	switch {
	case ways != 1:
		d.ps.Add(m.Problem("says in %d ways how a list is cut", ways).WithHint("one of offset, page, cursor, nextURL and link"))
	case p.Style == PageCursor && !next.Set:
		d.ps.Add(m.Problem("nothing says where the next cursor is").WithHint("next: a JSON Pointer into the answer"))
	case p.Style != PageCursor && next.Set:
		d.ps.Add(next.Problem("belongs to a cursor"))
	case p.Style != PageNumber && first.Set:
		d.ps.Add(first.Problem("belongs to numbered pages"))
	case p.Limit != "" && p.Size == 0:
		d.ps.Add(m.Problem("max is missing").WithHint("how many objects the application gives at most in a page"))
	}
	p.Next, p.Rel = decodePointer(next, d.ps), link.Value
	if nextURL.Set {
		p.Next = decodePointer(nextURL, d.ps)
	}
	m.Done()
	return p
}
