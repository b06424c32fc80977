package configs

import (
	"strings"
	"unicode/utf8"
)

// longestGuess bounds the names that are compared, so that a file of giant keys costs nothing.
const longestGuess = 128

// Nearest gives the name in known that is most likely meant by name, or "" when none is close:
// one that differs in letter case or in about one of three letters, or one that ends in name
// after a dot or a colon, as name.givenName does in givenName. Of equally near names the first
// in known wins.
func Nearest(name string, known []string) string {
	if name == "" || len(name) > longestGuess {
		return ""
	}
	lower := strings.ToLower(name)
	letters := utf8.RuneCountInString(lower)
	best, bestDistance := "", min(max(1, letters/3), letters-1)+1
	ending := ""
	for _, k := range known {
		if k == name || len(k) > longestGuess {
			continue
		}
		l := strings.ToLower(k)
		if d := distance(lower, l); d < bestDistance {
			best, bestDistance = k, d
		}
		if ending == "" && (strings.HasSuffix(l, "."+lower) || strings.HasSuffix(l, ":"+lower)) {
			ending = k
		}
	}
	if ending != "" && bestDistance > 1 {
		return ending
	}
	return best
}

// distance is the number of insertions, deletions, substitutions and swaps of neighbours that
// turn a into b (optimal string alignment).
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	before, above, row := make([]int, len(t)+1), make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(s); i++ {
		row[0] = i
		for j := 1; j <= len(t); j++ {
			substitution := above[j-1]
			if s[i-1] != t[j-1] {
				substitution++
			}
			row[j] = min(above[j]+1, row[j-1]+1, substitution)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(t)]
}
