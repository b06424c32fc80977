package configs

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
)

// Secret names where a secret is found; the configuration never holds the secret itself. The
// secret is read each time that it is asked for, so a file may be replaced while the program
// runs.
type Secret struct {
	env    string
	file   string
	digest [sha256.Size]byte
}

// IsZero tells whether the secret names nothing.
func (s Secret) IsZero() bool { return s == Secret{} }

// String says where the secret is found, never what it is.
func (s Secret) String() string {
	switch {
	case s.env != "":
		return "{ env: " + s.env + " }"
	case s.file != "":
		return "{ file: " + s.file + " }"
	case s.IsZero():
		return "{}"
	default:
		return "{ sha256: … }"
	}
}

// GoString is String, so that no way of printing shows more.
func (s Secret) GoString() string { return s.String() }

// Resolve reads the secret. A file may end in one line end, which is not part of the secret.
// Nothing can be read back from a digest.
func (s Secret) Resolve() (string, error) {
	switch {
	case s.env != "":
		v := os.Getenv(s.env)
		if v == "" {
			return "", fmt.Errorf("the environment variable %q is not set or empty", s.env)
		}
		return v, nil
	case s.file != "":
		data, problem := readFile(s.file)
		if problem != "" {
			return "", fmt.Errorf("the secret file %q: %s", s.file, problem)
		}
		v := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
		if v == "" {
			return "", fmt.Errorf("the secret file %q is empty", s.file)
		}
		return v, nil
	}
	return "", errors.New("only the digest of the secret is known")
}

// Digest is the SHA-256 of the secret.
func (s Secret) Digest() ([sha256.Size]byte, error) {
	if s.env == "" && s.file == "" {
		if s.IsZero() {
			return s.digest, errors.New("no secret is named")
		}
		return s.digest, nil
	}
	v, err := s.Resolve()
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	return sha256.Sum256([]byte(v)), nil
}

// Secret decodes { env: NAME } or { file: NAME } and reports a secret that is not there now.
func (n *Node) Secret(ps *Problems) At[Secret] {
	return n.secret(ps, "{ env: NAME } or { file: NAME }", "env", "file")
}

// Tokens decodes one or a list of { env: NAME }, { file: NAME } or { sha256: HEX }.
func (n *Node) Tokens(ps *Problems) []At[Secret] {
	var out []At[Secret]
	for _, item := range n.List(ps) {
		out = append(out, item.secret(ps, "{ env: NAME }, { file: NAME } or { sha256: HEX }", "env", "file", "sha256"))
	}
	return out
}

func (n *Node) secret(ps *Problems, shape string, sources ...string) At[Secret] {
	if n == nil {
		return At[Secret]{}
	}
	none := at(n, Secret{})
	if n.kind == Scalar && !n.broken {
		ps.Add(n.Problem("a secret is not written into the configuration").WithHint("name where it is found: %s", shape))
		return none
	}
	if n.kind == Null {
		ps.Add(n.Problem("has no value").WithHint("name where the secret is found: %s", shape))
		return none
	}
	m := n.Map(ps)
	var given []string
	for _, source := range sources {
		if m.Has(source) {
			given = append(given, source)
		}
	}
	var s Secret
	for _, source := range sources {
		switch source {
		case "env":
			s.env = m.String(source).Value
		case "file":
			s.file = m.FileName(source).Value
		case "sha256":
			if d := m.Text(source); d.Set {
				s.digest = decodeDigest(ps, d)
			}
		}
	}
	before := len(*ps)
	m.Done()
	switch {
	case m.void || len(*ps) > before && len(given) == 0:
		return none
	case len(given) == 0:
		ps.Add(n.Problem("names no secret").WithHint("write %s", shape))
		return none
	case len(given) > 1:
		ps.Add(n.Problem("names a secret in %d ways", len(given)).WithHint("keep one: %s", shape))
		return none
	}
	if s.env != "" || s.file != "" {
		if _, err := s.Resolve(); err != nil {
			place := m.node.byKey[given[0]].value
			missing := place.Problem("%s", err)
			missing.Secret = true
			ps.Add(missing)
		}
	}
	return at(n, s)
}

func decodeDigest(ps *Problems, a At[string]) (digest [sha256.Size]byte) {
	raw, err := hex.DecodeString(a.Value)
	if err != nil || len(raw) != sha256.Size {
		ps.Add(a.Problem("must be a SHA-256 in 64 hexadecimal digits").
			WithHint("printf %%s \"$TOKEN\" | sha256sum"))
		return digest
	}
	return [sha256.Size]byte(raw)
}
