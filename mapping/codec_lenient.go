package mapping

import (
	"fmt"
	"strconv"
	"strings"

	"postern/connectors"
	"postern/scim"
)

// yesNo is the codec of booleans that people have written into a text, in the
// languages of the table. TRUE and FALSE are written.
type yesNo struct{}

var yesAndNo = map[string]bool{
	"true": true, "yes": true, "y": true, "t": true, "on": true, "1": true, "-1": true, // English, and numbers
	"false": false, "no": false, "n": false, "f": false, "off": false, "0": false,
	"wahr": true, "ja": true, "j": true, "ein": true, // German; "ja" and "nej", "nee" also farther north
	"falsch": false, "nein": false, "aus": false, "nej": false, "nee": false,
	"vrai": true, "oui": true, "faux": false, "non": false, // French
	"verdadero": true, "sí": true, "si": true, "falso": false, // Spanish, Italian
	"vero": true, "verdadeiro": true, "sim": true, "não": false, "nao": false, // Italian, Portuguese
	"waar": true, "onwaar": false, // Dutch
	"prawda": true, "tak": true, "fałsz": false, "nie": false, // Polish
}

func (yesNo) decode(v connectors.Value) (scim.Value, bool) {
	on, ok := yesAndNo[strings.ToLower(strings.TrimSpace(string(v)))]
	return scim.Bool(on), ok
}

func (yesNo) encode(v scim.Value) (connectors.Value, error) { return boolean{}.encode(v) }

func (yesNo) total(connectors.Matching) bool { return false }

// lower asks for nothing: there are more ways to write a word than it could name.
func (yesNo) lower(question) answer { return unknown }

// digits is the codec of integers that people have written into a text: with a
// sign, leading zeros, and groups of three digits behind a space, a point, a
// comma or an apostrophe. Digits alone are written.
type digits struct{}

func (digits) decode(v connectors.Value) (scim.Value, bool) {
	s := strings.TrimSpace(string(v))
	sign := ""
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		sign, s = strings.TrimPrefix(s[:1], "+"), s[1:]
	}
	for _, separator := range []string{" ", "\u00a0", "\u202f", ".", ",", "'", "’"} {
		groups := strings.Split(s, separator)
		if len(groups) == 1 {
			continue
		}
		for i, g := range groups {
			if len(g) != 3 && (i > 0 || len(g) == 0 || len(g) > 3) {
				return scim.Value{}, false
			}
		}
		s = strings.Join(groups, "")
		break
	}
	if len(s) == 0 || s[0] < '0' || s[0] > '9' {
		return scim.Value{}, false
	}
	n, err := strconv.ParseInt(sign+s, 10, 64)
	if err != nil {
		return scim.Value{}, false
	}
	return scim.Int(n), true
}

func (digits) encode(v scim.Value) (connectors.Value, error) {
	if v.Kind() != scim.KindInteger {
		return "", fmt.Errorf("%s is no integer", v)
	}
	return integer{}.encode(v)
}

func (digits) total(connectors.Matching) bool { return false }

func (digits) lower(question) answer { return unknown }
