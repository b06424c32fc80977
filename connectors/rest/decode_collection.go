package rest

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"postern/configs"
	"postern/connectors"
)

// The placeholders of a call.
const (
	phAnchor  = "anchor"  // the object's anchor
	phVersion = "version" // the object's version
	phValue   = "value"   // what is looked for, or an element of a sub-resource
	phMember  = "member"  // the anchor of a member
	phMembers = "members" // the anchors of several, as the whole of a text in a body
	phID      = "id"      // what an element of a sub-resource is called by
)

// DecodeCollection decodes what this driver takes of a resource's section: anchor
// and rest. The section's other keys, and reporting the unknown ones, are left to
// the section's owner; Attrs and References come from the mapping.
func DecodeCollection(name string, n *configs.Node, ps *configs.Problems) Collection {
	m := n.Map(ps)
	m.Required("anchor", "rest")
	anchor := m.String("anchor")
	decodePointer(anchor, ps)
	c := Collection{Name: name, Anchor: connectors.Attr(anchor.Value), at: configs.At[string]{Pos: n.Pos(), Path: n.Path(), Set: true}}
	rest := m.Child("rest")
	if rest == nil {
		return c
	}
	rm := rest.Map(ps)
	rm.Required("list", "read")
	c.Types = decodeTypes(rm, ps)
	c.Version = decodeVersion(rm.Child("version"), ps)
	one := callDecoder{ps: ps, target: []string{phAnchor}}
	if list := rm.Child("list"); list != nil {
		c.List = callDecoder{ps: ps}.list(list, List{})
		mustGet(c.List.Call, ps)
	}
	if find := rm.Child("find"); find != nil {
		c.Find = decodeFinds(find, c.List, ps)
	}
	if read := rm.Child("read"); read != nil {
		c.Read = one.call(read)
		mustGet(c.Read, ps)
		mustUse(c.Read, phAnchor, ps)
	}
	if create := rm.Child("create"); create != nil {
		c.Create = callDecoder{ps: ps, sends: true}.call(create)
		mustWrite(c.Create, ps)
	}
	written := callDecoder{ps: ps, target: []string{phAnchor, phVersion}, sends: true}
	if update := rm.Child("update"); update != nil {
		um := update.Map(ps)
		c.Update = written.fields(um)
		c.Whole = um.Enum("send", "changed", "whole").Value == "whole"
		um.Done()
		mustWrite(c.Update, ps)
		mustUse(c.Update, phAnchor, ps)
	}
	if del := rm.Child("delete"); del != nil {
		written.sends, written.body = false, []string{phAnchor, phVersion}
		c.Delete = written.call(del)
		mustWrite(c.Delete, ps)
		if c.Delete.declared() && !c.Delete.Target.uses(phAnchor) && c.Delete.Body == nil {
			mustUse(c.Delete, phAnchor, ps)
		}
		if c.Version.has && !c.Version.Header && c.Delete.declared() && !c.Delete.Target.uses(phVersion) {
			ps.Add(c.Delete.at.Problem("the version does not go with it, so that it can not be made conditional").
				WithHint("as in %s?version={version}; or leave version out", c.Delete.Target).AsWarning())
		}
	}
	c.Switches = decodeSwitches(rm.Child("switches"), ps)
	c.Members = decodeMembers(rm.Child("members"), c.List.Page, ps)
	c.Subs = decodeSubs(rm.Child("within"), c.List.Page, ps)
	rm.Done()
	return c
}

func decodeVersion(n *configs.Node, ps *configs.Problems) Version {
	if n == nil {
		return Version{}
	}
	m := n.Map(ps)
	header := m.Enum("header", "ETag")
	field := m.String("field")
	v := Version{Header: header.Set, Field: decodePointer(field, ps), has: header.Set || field.Set}
	if !v.has {
		ps.Add(m.Problem("nothing says where the version is").WithHint("header: ETag, or field: a JSON Pointer into the object"))
	}
	m.Done()
	return v
}

// decodeTypes reads how values are written: types, and ignoreCase.
func decodeTypes(m *configs.Map, ps *configs.Problems) map[connectors.Attr]Attribute {
	types := make(map[connectors.Attr]Attribute)
	for key, node := range m.Child("types").Map(ps).Each() {
		decodePointer(key, ps)
		types[connectors.Attr(key.Value)] = decodeType(node, ps)
	}
	for _, a := range m.Strings("ignoreCase") {
		decodePointer(a, ps)
		t := types[connectors.Attr(a.Value)]
		if t.Kind != KindText {
			ps.Add(a.Problem("only text has a case"))
		}
		t.IgnoreCase = true
		types[connectors.Attr(a.Value)] = t
	}
	return types
}

// typeNames are how a file calls the kinds of values.
var typeNames = map[string]Kind{"text": KindText, "integer": KindInteger, "number": KindNumber, "boolean": KindBoolean, "0/1": KindBit}

func decodeType(n *configs.Node, ps *configs.Problems) Attribute {
	names := slices.Sorted(maps.Keys(typeNames))
	if n.Kind() != configs.Mapping {
		return Attribute{Kind: typeNames[n.Enum(ps, names...).Value]}
	}
	m := n.Map(ps)
	a := Attribute{Kind: typeNames[m.Enum("type", names...).Value], List: m.Bool("list").Value, Empty: m.Enum("removed", "null", "empty").Value == "empty"}
	if join := m.Text("join"); join.Set {
		if a.Join, a.List = join.Value, true; a.Join == "" {
			ps.Add(join.Problem("is empty").WithHint("as in join: \",\""))
		}
	}
	if layout := m.String("time"); layout.Value != "" {
		if a.Kind, a.Layout = KindTime, layout.Value; m.Has("type") {
			ps.Add(layout.Problem("a time has no other type"))
		}
	}
	m.Done()
	return a
}

func decodeFinds(n *configs.Node, list List, ps *configs.Problems) map[connectors.Attr]List {
	finds := make(map[connectors.Attr]List)
	for key, node := range n.Map(ps).Each() {
		if !strings.HasPrefix(key.Value, "/") {
			ps.Add(key.Problem("%q is not a JSON Pointer", key.Value).WithHint("write %q", "/"+key.Value))
			continue
		}
		decodePointer(key, ps)
		l := callDecoder{ps: ps, target: []string{phValue}}.list(node, List{Items: list.Items, Total: list.Total, Page: list.Page, Call: Call{Without: list.Without}})
		mustGet(l.Call, ps)
		mustUse(l.Call, phValue, ps)
		finds[connectors.Attr(key.Value)] = l
	}
	return finds
}

// decodeSwitches reads the calls that give an attribute one of a few values.
func decodeSwitches(n *configs.Node, ps *configs.Problems) map[connectors.Attr]map[connectors.Value]Call {
	if n == nil {
		return nil
	}
	switches := make(map[connectors.Attr]map[connectors.Value]Call)
	d := callDecoder{ps: ps, target: []string{phAnchor, phVersion}, body: []string{phAnchor, phVersion}}
	for key, node := range n.Map(ps).Each() {
		decodePointer(key, ps)
		calls := make(map[connectors.Value]Call)
		for value, call := range node.Map(ps).Each() {
			c := d.call(call)
			mustWrite(c, ps)
			mustUse(c, phAnchor, ps)
			calls[connectors.Value(value.Value)] = c
		}
		switches[connectors.Attr(key.Value)] = calls
	}
	return switches
}

func decodeMembers(n *configs.Node, page Page, ps *configs.Problems) map[connectors.Attr]Members {
	if n == nil {
		return nil
	}
	all := make(map[connectors.Attr]Members)
	d := callDecoder{ps: ps, target: []string{phAnchor, phMember}, body: []string{phAnchor, phMember, phMembers}}
	for key, node := range n.Map(ps).Each() {
		decodePointer(key, ps)
		m := node.Map(ps)
		mem := Members{Value: decodePointer(m.String("value"), ps)}
		if list := m.Child("list"); list != nil {
			mem.List = callDecoder{ps: ps, target: []string{phAnchor}}.list(list, List{Page: page})
			mustGet(mem.List.Call, ps)
		}
		add, remove := m.Child("add"), m.Child("remove")
		if add != nil && remove != nil {
			mem.Add, mem.Remove = d.call(add), d.call(remove)
			mustWrite(mem.Add, ps)
			mustWrite(mem.Remove, ps)
		} else if add != nil || remove != nil {
			ps.Add(m.Problem("members come and go by calls of both kinds").WithHint("give both add and remove"))
		}
		m.Done()
		all[connectors.Attr(key.Value)] = mem
	}
	return all
}

// decodeSubs reads attributes whose values are objects below the object.
func decodeSubs(n *configs.Node, page Page, ps *configs.Problems) map[connectors.Attr]Sub {
	if n == nil {
		return nil
	}
	all := make(map[connectors.Attr]Sub)
	for key, node := range n.Map(ps).Each() {
		decodePointer(key, ps)
		m := node.Map(ps)
		m.Required("list")
		s := Sub{Value: decodePointer(m.String("value"), ps), ID: decodePointer(m.String("id"), ps)}
		if list := m.Child("list"); list != nil {
			s.List = callDecoder{ps: ps, target: []string{phAnchor}}.list(list, List{Page: page})
			mustGet(s.List.Call, ps)
			mustUse(s.List.Call, phAnchor, ps)
		}
		if add := m.Child("add"); add != nil {
			s.Add = callDecoder{ps: ps, target: []string{phAnchor, phValue}, body: []string{phAnchor, phValue}}.call(add)
			mustWrite(s.Add, ps)
		}
		if remove := m.Child("remove"); remove != nil {
			s.Remove = callDecoder{ps: ps, target: []string{phAnchor, phValue, phID}, body: []string{phAnchor, phValue, phID}}.call(remove)
			mustWrite(s.Remove, ps)
		}
		m.Done()
		all[connectors.Attr(key.Value)] = s
	}
	return all
}

func mustGet(c Call, ps *configs.Problems) {
	if c.declared() && c.Method != http.MethodGet && !c.Safe {
		ps.Add(c.at.Problem("reads, and %s is not known to be safe to repeat", c.Method).WithHint("say repeatable: true"))
	}
}

func mustWrite(c Call, ps *configs.Problems) {
	if c.Method == http.MethodGet {
		ps.Add(c.at.Problem("writes, and a GET must not").WithHint("use post, put, patch or delete"))
	}
}

func mustUse(c Call, name string, ps *configs.Problems) {
	if c.declared() && c.Target.text != "" && !c.Target.uses(name) {
		ps.Add(c.at.Problem("{%s} is missing: the call would be the same for all", name))
	}
}
