package token

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	// fresh is how long keys are used without a look whether there are others.
	fresh = time.Hour
	// stale is how long they are used where the issuer does not answer.
	stale = 24 * time.Hour
	// pause is the least time between two looks: a token with a key that nobody knows
	// is no reason to ask again and again.
	pause = 30 * time.Second
	// mostKeys bounds what an issuer may send, in bytes.
	mostKeys = 1 << 20
)

// A keySet is the keys of an issuer, read when they are needed.
type keySet struct {
	issuer, url string
	client      *http.Client
	now         func() time.Time

	turn chan struct{} // whoever has it asks the issuer; the others wait, or go on with what is known

	mu    sync.Mutex
	set   []jose.JSONWebKey
	read  time.Time // when the keys were read
	asked time.Time // when that was last tried
	fixed bool      // they are of a file
}

func newClient() *http.Client {
	return &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		if len(via) > 3 || req.URL.Scheme != via[0].URL.Scheme {
			return errors.New("it leads elsewhere")
		}
		return nil
	}}
}

// load reads the keys from a file.
func (k *keySet) load(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if k.set, err = publicKeys(text); err != nil {
		return fmt.Errorf("the file %q: %w", file, err)
	}
	k.fixed = true
	return nil
}

// find returns the keys that may have signed a token: those with its key id, or all
// where it has none.
func (k *keySet) find(ctx context.Context, id string) ([]jose.JSONWebKey, error) {
	found, state := k.look(id)
	if state == enough {
		return found, nil
	}
	select {
	case k.turn <- struct{}{}:
	default:
		if state == usable && len(found) > 0 {
			return found, nil // somebody is at it
		}
		select {
		case k.turn <- struct{}{}:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
		}
	}
	defer func() { <-k.turn }()
	if found, state = k.look(id); state == enough { // somebody was at it
		return found, nil
	}
	if err := k.refresh(ctx); err != nil && state == none {
		return nil, err
	}
	found, _ = k.look(id)
	return found, nil
}

// A state is what is to be done about the keys for a token.
type state int

const (
	enough state = iota // nothing
	usable              // there may be newer ones
	none                // there are none, or they are too old
)

func (k *keySet) look(id string) (found []jose.JSONWebKey, s state) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found = slices.DeleteFunc(slices.Clone(k.set), func(one jose.JSONWebKey) bool { return id != "" && one.KeyID != id })
	age, asked := k.now().Sub(k.read), k.now().Sub(k.asked)
	switch {
	case k.fixed, len(found) > 0 && age < fresh, asked < pause && age < stale:
		return found, enough
	case k.read.IsZero() || age >= stale:
		return nil, none
	}
	return found, usable
}

// refresh asks the issuer for its keys. Those that are known stay where that fails.
// It is called by whoever has the turn.
func (k *keySet) refresh(ctx context.Context) error {
	k.mu.Lock()
	soon := k.now().Sub(k.asked) < pause
	if !soon {
		k.asked = k.now()
	}
	k.mu.Unlock()
	if soon {
		return fmt.Errorf("%w: they could not be a moment ago", ErrUnavailable)
	}
	at := k.url
	if at == "" {
		var about struct {
			Issuer string `json:"issuer"`
			Keys   string `json:"jwks_uri"`
		}
		text, err := k.get(ctx, strings.TrimSuffix(k.issuer, "/")+"/.well-known/openid-configuration")
		if err != nil {
			return err
		}
		if err := json.Unmarshal(text, &about); err != nil || about.Issuer != k.issuer || about.Keys == "" {
			return fmt.Errorf("%w: what the issuer says of itself names another issuer, or no keys", ErrUnavailable)
		}
		if u, err := url.Parse(about.Keys); err != nil || u.Scheme != "https" && !strings.HasPrefix(k.issuer, u.Scheme+"://") {
			return fmt.Errorf("%w: the issuer's keys are not at an https:// address", ErrUnavailable)
		}
		at = about.Keys
	}
	text, err := k.get(ctx, at)
	if err != nil {
		return err
	}
	set, err := publicKeys(text)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.set, k.read = set, k.now()
	return nil
}

func (k *keySet) get(ctx context.Context, at string) ([]byte, error) {
	// The request that happens to need the keys may be given up; the others wait for them too.
	ctx = context.WithoutCancel(ctx)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	req.Header.Set("Accept", "application/json")
	res, err := k.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, mostKeys+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %s: %w", ErrUnavailable, at, err)
	case res.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%w: %s answers %d", ErrUnavailable, at, res.StatusCode)
	case len(text) > mostKeys:
		return nil, fmt.Errorf("%w: %s answers with too much", ErrUnavailable, at)
	}
	return text, nil
}

// publicKeys reads a key set. Keys of kinds that are not known here are passed over
// (RFC 7517 §5), and so are secret ones.
func publicKeys(text []byte) ([]jose.JSONWebKey, error) {
	var raw struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, errors.New("it is no key set (RFC 7517 §5)")
	}
	var set []jose.JSONWebKey
	for _, one := range raw.Keys {
		var key jose.JSONWebKey
		if json.Unmarshal(one, &key) == nil && key.Valid() && key.IsPublic() {
			set = append(set, key)
		}
	}
	if len(set) == 0 {
		return nil, errors.New("it holds no public key that could be used")
	}
	return set, nil
}
