package mapping

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"

	"postern/connectors"
	"postern/scim"
)

// photo is the codec of pictures (thumbnailPhoto, jpegPhoto). The value of an
// element of photos is a URI (RFC 7643 §4.1.2): one that holds the picture
// itself (RFC 2397). Base64 alone is taken too. A URL of elsewhere is not
// fetched.
type photo struct{}

func (photo) decode(v connectors.Value) (scim.Value, bool) {
	kind := http.DetectContentType([]byte(v))
	if v == "" || !strings.HasPrefix(kind, "image/") {
		return scim.Value{}, false
	}
	return scim.Str("data:" + kind + ";base64," + base64.StdEncoding.EncodeToString([]byte(v))), true
}

func (c photo) encode(v scim.Value) (connectors.Value, error) {
	text := v.Text()
	if scheme, rest, ok := strings.Cut(text, ":"); ok {
		kind, data, comma := strings.Cut(rest, ",")
		if !strings.EqualFold(scheme, "data") || !comma || !strings.HasSuffix(strings.ToLower(kind), ";base64") {
			return "", errors.New(`a picture must be in the value itself, as "data:image/jpeg;base64,…"`)
		}
		text = data
	}
	b, err := base64Binary{}.encode(scim.Str(text))
	if err != nil {
		return "", err
	}
	if _, ok := c.decode(b); !ok {
		return "", errors.New("the value is not a picture")
	}
	return b, nil
}

func (photo) total(connectors.Matching) bool { return false }

func (photo) lower(question) answer { return unknown }
