package ldap

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/types"
)

// offer is a server's offer of security layers under a key, with the checksum
// rotated to the front by so many bytes.
func offer(t testing.TB, key types.EncryptionKey, flag byte, rotate int, layers ...byte) string {
	t.Helper()
	w := gssapi.WrapToken{Flags: flag | fromAcceptor, EC: 12, Payload: layers}
	if err := w.SetCheckSum(key, keyusage.GSSAPI_ACCEPTOR_SEAL); err != nil {
		t.Fatal(err)
	}
	b, err := w.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	rest := b[gssapi.HdrLen:]
	at := len(rest) - rotate
	binary.BigEndian.PutUint16(b[6:], uint16(rotate))
	return string(slices.Concat(b[:gssapi.HdrLen], rest[at:], rest[:at]))
}

func session(t testing.TB) *krbSession {
	t.Helper()
	var keys [2]types.EncryptionKey
	for i := range keys {
		etype, err := crypto.GetEtype(etypeID.AES256_CTS_HMAC_SHA1_96)
		if err != nil {
			t.Fatal(err)
		}
		if keys[i], err = types.GenerateEncryptionKey(etype); err != nil {
			t.Fatal(err)
		}
	}
	return &krbSession{key: keys[0], subkey: keys[1]}
}

// TestWithoutLayer declines every offer that can be declined, and believes no
// token that was not made with the key.
func TestWithoutLayer(t *testing.T) {
	s := session(t)
	good := offer(t, s.key, 0, 0, 7, 0, 16, 0)
	changed := []byte(good)
	changed[len(changed)-1] ^= 1
	louder := []byte(good)
	louder[gssapi.HdrLen] = 3
	for name, tc := range map[string]struct {
		token string
		ok    bool
	}{
		"any layer":           {good, true},
		"no layer at all":     {offer(t, s.key, 0, 0, 0, 0, 0, 0), true},
		"rotated":             {offer(t, s.key, 0, 12, 1, 0, 0, 0), true},
		"rotated by a little": {offer(t, s.key, 0, 5, 1, 0, 0, 0), true},
		"the server's key":    {offer(t, s.subkey, acceptorSubkey, 12, 1, 0, 0, 0), true},
		"a layer demanded":    {offer(t, s.key, 0, 0, 6, 0, 16, 0), false},
		"too short an offer":  {offer(t, s.key, 0, 0, 7), false},
		"the other key":       {offer(t, s.subkey, 0, 0, 7, 0, 16, 0), false},
		"a changed checksum":  {string(changed), false},
		"a changed offer":     {string(louder), false},
		"cut short":           {good[:20], false},
		"nothing":             {"", false},
	} {
		answer, err := s.withoutLayer(tc.token)
		if (err == nil) != tc.ok {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			continue
		}
		key, flag := s.key, byte(0)
		if tc.token[2]&acceptorSubkey != 0 {
			key, flag = s.subkey, acceptorSubkey
		}
		var w gssapi.WrapToken
		if err := w.Unmarshal([]byte(answer), false); err != nil {
			t.Fatal(err)
		}
		if ok, err := w.Verify(key, keyusage.GSSAPI_INITIATOR_SEAL); !ok || w.Flags != flag || string(w.Payload) != "\x01\x00\x00\x00" {
			t.Errorf("%s: answered %x under flags %d: %v", name, w.Payload, w.Flags, err)
		}
	}
}

// FuzzKerberos: whatever a server sends instead of its tokens is an error.
func FuzzKerberos(f *testing.F) {
	s := session(f)
	for _, seed := range []string{"", "\x05\x04", "\x60\x0b\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02", "\x60\x0d\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x02\x00",
		"\x60\x0e\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x02\x00\x6f", "\x05\x04\x01\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		for _, step := range []func(string) (string, error){s.authenticated, s.withoutLayer} {
			if answer, err := safely(step, token); err == nil {
				t.Errorf("%x was answered with %x", token, answer)
			}
		}
	})
}

func TestPrincipal(t *testing.T) {
	for principal, ok := range map[string]bool{
		"svc@CORP.EXAMPLE.COM": true, "svc/host@corp.example.com": true,
		"svc": false, "@CORP": false, "svc@": false, "svc@A\n[x]": false, "": false,
	} {
		if _, err := newKerberos(KerberosConfig{Principal: principal}); (err == nil) != ok {
			t.Errorf("%q: %v", principal, err)
		}
	}
}
