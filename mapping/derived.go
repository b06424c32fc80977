package mapping

import (
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"postern/configs"
	"postern/connectors"
	"postern/scim"
)

// A DerivedSpec is an attribute that every new entry gets, made of other values:
// a template, and how its text is shaped. It is not read, and does not follow
// when these values change.
type DerivedSpec struct {
	Attr  configs.At[string]
	From  configs.At[string]
	Codec configs.At[string] // "" or accountNameCodec
	// Collision is what becomes of a value that is taken: error, number.
	Collision configs.At[string]
}

// derived is a compiled DerivedSpec.
type derived struct {
	pos      configs.Pos
	attr     connectors.Attr
	template template
	account  bool
	numbers  bool
}

func decodeDerived(n *configs.Node, problems *configs.Problems) []DerivedSpec {
	var specs []DerivedSpec
	for key, value := range n.Map(problems).Each() {
		s := DerivedSpec{Attr: key}
		if value.Kind() == configs.Mapping {
			m := value.Map(problems)
			m.Required("from")
			s.From, s.Codec = m.Text("from"), m.Enum("codec", accountNameCodec)
			s.Collision = m.Enum("collision", collisionError, collisionNumber)
			m.Done()
		} else {
			s.From = value.Text(problems)
		}
		specs = append(specs, s)
	}
	return specs
}

// derived checks the attributes that are made of others.
func (c *compiler) derived() {
	for i, s := range c.spec.Derived {
		attr := c.spelling(connectors.Attr(s.Attr.Value))
		c.spelledRight(s.Attr)
		for _, l := range c.lines {
			if l.attr == attr && l.write != writeNever {
				c.add(s.Attr.Problem("%q is written by the rule for %s", attr, l.spec.Path.Value).WithHint("give that rule a default"))
				break
			}
		}
		if c.named && c.name.attr == attr {
			c.add(s.Attr.Problem("%q is written by the name", attr))
		}
		if slices.ContainsFunc(c.spec.Constants, func(k ConstantSpec) bool { return fold(connectors.Attr(k.Attr.Value)) == fold(attr) }) {
			c.add(s.Attr.Problem("%q is a constant already", attr))
		}
		segments, err := parseTemplate(s.From.Value)
		if err != nil {
			c.add(s.From.Problem("%v", err))
			continue
		}
		inputs := c.inputs(s.From, segments)
		if len(inputs) == 0 && !slices.ContainsFunc(segments, func(g segment) bool { return g.path != "" }) {
			c.add(s.From.Problem("it is made of nothing").WithHint("put an attribute in braces, as in {userName}, or use constants"))
		}
		for _, l := range inputs {
			if l.unread {
				c.add(s.From.Problem("it can not be made of %s, which is never read", l.spec.Path.Value))
			}
		}
		c.derivedText = append(c.derivedText, derivedText{&c.spec.Derived[i], attr, segments})
	}
}

// derivedText is a DerivedSpec whose template has been read.
type derivedText struct {
	spec     *DerivedSpec
	attr     connectors.Attr
	segments []segment
}

// field makes the attribute for a new resource. Where a value that it is made of
// is missing, it is left out.
func (d *derived) field(r *scim.Resource) connectors.Field {
	f := connectors.Field{Attr: d.attr}
	s, missing := d.template.render(valuesOf(r), depthOfName)
	if missing != nil {
		return f
	}
	if d.account {
		s = accountNameOf(s)
	}
	if s != "" {
		f.Values = []connectors.Value{connectors.Value(s)}
	}
	return f
}

// path is the first of what it is made of, for messages to a client.
func (d *derived) path() string {
	for r := range d.template.inputs {
		return r.path
	}
	return ""
}

const (
	accountNameCodec  = "sAMAccountName"
	accountNameLength = 20 // of people ([MS-ADA3] §2.222); others may have longer ones
	accountNameRefuse = `"/\[]:;|=,+*?<>@`
)

// accountNameOf makes an account name of a text: what stands before an @, without
// the characters that none may have, and cut where it is too long. If anything
// was lost, it ends in what tells it from others that would become the same.
func accountNameOf(s string) string {
	whole, _, _ := strings.Cut(s, "@")
	name := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r < ' ' || r == 0x7f || strings.ContainsRune(accountNameRefuse, r):
			return -1
		case r == ' ':
			return '.'
		}
		return r
	}, whole), ".")
	runes := []rune(name)
	if name == whole && name != "" && len(runes) <= accountNameLength {
		return name
	}
	hash := sha256.Sum256([]byte(strings.ToLower(s)))
	tail := "-" + strings.ToLower(base32.StdEncoding.EncodeToString(hash[:]))[:4]
	if len(runes) == 0 {
		runes = []rune("user")
	}
	return strings.TrimRight(string(runes[:min(len(runes), accountNameLength-len(tail))]), ".") + tail
}

// numberedAccount is the n-th of the account names that an object can have: as
// numbered, cut where it would be too long.
func numberedAccount(name string, n int) string {
	if n <= 1 {
		return name
	}
	tail := strconv.Itoa(n)
	runes := []rune(name)
	return strings.TrimRight(string(runes[:min(len(runes), accountNameLength-len(tail))]), ".") + tail
}

// accountName is the codec of sAMAccountName: text that is refused here where the
// directory would refuse it, or would cut it.
type accountName struct{ text }

func (accountName) encode(v scim.Value) (connectors.Value, error) {
	s := v.Text()
	switch {
	case len([]rune(s)) > accountNameLength:
		return "", fmt.Errorf("an account name has at most %d characters", accountNameLength)
	case strings.ContainsAny(s, accountNameRefuse) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' }):
		return "", fmt.Errorf("an account name has none of the characters %s", accountNameRefuse)
	case strings.HasSuffix(s, "."):
		return "", errors.New("an account name does not end in a point")
	}
	return connectors.Value(s), nil
}
