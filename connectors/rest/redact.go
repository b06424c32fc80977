package rest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// spellings are the ways in which a secret can stand in a URL, a header, a form,
// JSON, XML or what is quoted of them.
func spellings(secret string) []string {
	quoted, _ := json.Marshal(secret) // text can always be written
	inJSON := string(quoted[1 : len(quoted)-1])
	plain := strings.NewReplacer(`\u0026`, "&", `\u003c`, "<", `\u003e`, ">").Replace(inJSON)
	all := []string{secret, inJSON, plain, strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;").Replace(secret),
		base64.RawStdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret))}
	for _, escaped := range []string{url.QueryEscape(secret), url.PathEscape(secret)} {
		all = append(all, escaped, percent.ReplaceAllStringFunc(escaped, strings.ToLower))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

var (
	percent = regexp.MustCompile(`%[0-9A-F]{2}`)
	// numbered are an escaped backslash, which is passed over, characters that JSON (RFC 8259
	// §7) and XML write as numbers, and the slash that JSON may escape.
	numbered = regexp.MustCompile(`\\\\|(\\u[0-9A-Fa-f]{4})+|\\/|&#[0-9]{1,7};|&#x[0-9A-Fa-f]{1,6};`)
)

// unnumbered writes as themselves what is written as numbers, so that a secret is
// recognised. JSON stays the same JSON.
func unnumbered(text string) string {
	return numbered.ReplaceAllStringFunc(text, func(s string) string {
		switch s {
		case `\/`:
			return "/"
		case `\\`:
			return s
		}
		if digits, ok := strings.CutPrefix(s, "&#"); ok {
			base := 10
			if hex, ok := strings.CutPrefix(digits, "x"); ok {
				digits, base = hex, 16
			}
			n, err := strconv.ParseUint(strings.TrimSuffix(digits, ";"), base, 32)
			if err != nil || n < ' ' || n > 0x10ffff {
				return s
			}
			return string(rune(n))
		}
		var units []uint16
		for hex := range strings.SplitSeq(s[2:], `\u`) {
			n, _ := strconv.ParseUint(hex, 16, 16) // four digits are one
			units = append(units, uint16(n))
		}
		var b strings.Builder
		for _, r := range utf16.Decode(units) {
			switch {
			case r < ' ':
				fmt.Fprintf(&b, `\u%04x`, r)
			case r == '"' || r == '\\':
				b.WriteString(`\` + string(r))
			default:
				b.WriteRune(r)
			}
		}
		return b.String()
	})
}

// beginsSecret is how much of the end of a text is the beginning of a secret.
func beginsSecret(text string, secrets []string) int {
	longest := 0
	for _, s := range secrets {
		for n := min(len(s)-1, len(text)); n > longest; n-- {
			if strings.HasSuffix(text, s[:n]) {
				longest = n
			}
		}
	}
	return longest
}
