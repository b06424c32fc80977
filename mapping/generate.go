package mapping

import (
	"crypto/rand"
	"slices"

	"postern/scim"
)

// randomPassword is a password that nobody knows, for an account whose client
// gives none: 130 random bits, and a character of each kind that a policy may
// ask for.
func randomPassword() string { return "Aa1-" + rand.Text() }

// secures reports whether what is created will have a password that Active
// Directory takes for one.
func (pl *planner) secures() bool {
	return slices.ContainsFunc(pl.m.rules, func(r *rule) bool {
		if _, ok := r.codec.(adPassword); !ok {
			return false
		}
		return r.generate || !r.of(pl.now).IsAbsent() || !pl.fallback(r).IsAbsent()
	})
}

// generates checks the key generate of a rule.
func (c *compiler) generates(l *line) {
	at := l.spec.Generate
	switch {
	case !at.Value:
	case !l.unread || l.leaf.Type != scim.String || l.multi:
		c.add(at.Problem("only a password is generated").WithHint("with read: never"))
	case len(l.spec.Default) > 0:
		c.add(at.Problem("the rule has a default already"))
	case l.spec.Required.Value:
		c.add(at.Problem("the client must give %s", l.spec.Path.Value))
	}
}

// passwords refuses the trap that Active Directory has set: it takes a
// userPassword like any other attribute, and no one can sign in with it.
func (c *compiler) passwords() {
	if !slices.ContainsFunc(c.lines, func(l *line) bool { return l.state == adEnabled }) {
		return
	}
	for _, l := range c.lines {
		if fold(l.attr) == "userpassword" {
			c.add(l.spec.Attr.Problem("Active Directory does not take userPassword for a password").WithHint("{ attr: unicodePwd, codec: ad-password }"))
		}
	}
}
