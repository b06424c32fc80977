package ldap

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jcmturner/gokrb5/v8/client"
	krbconfig "github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/spnego"
	"github.com/jcmturner/gokrb5/v8/types"

	"postern/connectors/ldap/wire"
)

// A KerberosConfig says who binds by the SASL mechanism GSSAPI (RFC 4752).
type KerberosConfig struct {
	Principal  string   // user@REALM
	KeytabFile string   // read again for each connection
	KDCs       []string // host or host:port; none are found by DNS
}

// kerberos binds with a ticket for ldap/HOST, where HOST is the name that the
// server's certificate is verified by. No security layer is negotiated: TLS is
// one.
type kerberos struct {
	user, realm string
	keytabFile  string
	config      *krbconfig.Config
}

func newKerberos(c KerberosConfig) (*kerberos, error) {
	user, realm, ok := strings.Cut(c.Principal, "@")
	if !ok || user == "" || realm == "" || strings.ContainsAny(c.Principal, " \t\r\n{}=") {
		return nil, fmt.Errorf("%q is not a principal with its realm", c.Principal)
	}
	realm = strings.ToUpper(realm)
	var text strings.Builder
	fmt.Fprintf(&text, "[libdefaults]\n default_realm = %s\n dns_lookup_kdc = %v\n udp_preference_limit = 1\n"+
		" default_tkt_enctypes = aes256-cts-hmac-sha1-96 aes128-cts-hmac-sha1-96\n"+
		" default_tgs_enctypes = aes256-cts-hmac-sha1-96 aes128-cts-hmac-sha1-96\n"+
		" permitted_enctypes = aes256-cts-hmac-sha1-96 aes128-cts-hmac-sha1-96\n[realms]\n %s = {\n", realm, len(c.KDCs) == 0, realm)
	for _, kdc := range c.KDCs {
		if !strings.Contains(kdc, ":") {
			kdc += ":88"
		}
		fmt.Fprintf(&text, "  kdc = %s\n", kdc)
	}
	text.WriteString(" }\n")
	config, err := krbconfig.NewFromString(text.String())
	if err != nil {
		return nil, fmt.Errorf("kerberos: %w", err)
	}
	return &kerberos{user: user, realm: realm, keytabFile: c.KeytabFile, config: config}, nil
}

func (k *kerberos) bind(ctx context.Context, conn *wire.Conn, d *dialer) error {
	host := d.host
	if d.tls != nil {
		host = d.tls.ServerName
	}
	s, token, err := k.begin("ldap/" + host)
	if err != nil {
		return fmt.Errorf("kerberos: %w", err)
	}
	for _, step := range []func(string) (string, error){s.authenticated, s.withoutLayer} {
		reply, err := conn.Do(ctx, wire.AppendSASLBind(nil, "GSSAPI", token))
		if err != nil {
			return fmt.Errorf("bind: %w", err)
		}
		if reply.Code != wire.SASLBindInProgress {
			if err := bound(reply, nil); err != nil {
				return err
			}
			return errors.New("kerberos: the server ended the exchange early")
		}
		if token, err = safely(step, reply.SASL); err != nil {
			return fmt.Errorf("kerberos: %w", err)
		}
	}
	return bound(conn.Do(ctx, wire.AppendSASLBind(nil, "GSSAPI", token)))
}

// safely does a step whatever the server has sent: the library's parsers panic
// at some of what is malformed.
func safely(step func(string) (string, error), token string) (answer string, err error) {
	defer func() {
		if p := recover(); p != nil {
			answer, err = "", fmt.Errorf("a malformed token: %v", p)
		}
	}()
	return step(token)
}

// A krbSession is one exchange under way: the key of the ticket, and that which
// the server chose instead.
type krbSession struct {
	key, subkey types.EncryptionKey
}

// begin gets a ticket for the service and returns the first token. A ticket is
// asked for at each connection: connections live long, and nothing is left to
// be renewed in the background.
func (k *kerberos) begin(service string) (*krbSession, string, error) {
	keys, err := keytab.Load(k.keytabFile)
	if err != nil {
		return nil, "", fmt.Errorf("keytab: %w", err)
	}
	c := client.NewWithKeytab(k.user, k.realm, keys, k.config, client.DisablePAFXFAST(true))
	defer c.Destroy()
	ticket, key, err := c.GetServiceTicket(service)
	if err != nil {
		return nil, "", fmt.Errorf("ticket for %q: %w", service, err)
	}
	wanted := []int{gssapi.ContextFlagInteg, gssapi.ContextFlagConf, gssapi.ContextFlagMutual}
	token, err := spnego.NewKRB5TokenAPREQ(c, ticket, key, wanted, []int{flags.APOptionMutualRequired})
	if err != nil {
		return nil, "", err
	}
	raw, err := token.Marshal()
	return &krbSession{key: key}, string(raw), err
}

// authenticated takes the server's proof that it has the key of the ticket. The
// answer is empty: it asks what security layers there are.
func (s *krbSession) authenticated(token string) (string, error) {
	var t spnego.KRB5Token
	if err := t.Unmarshal([]byte(token)); err != nil {
		return "", err
	}
	switch {
	case t.IsKRBError():
		return "", t.KRBError
	case !t.IsAPRep():
		return "", errors.New("the server does not prove who it is")
	}
	raw, err := crypto.DecryptEncPart(t.APRep.EncPart, s.key, keyusage.AP_REP_ENCPART)
	if err != nil {
		return "", err
	}
	var part messages.EncAPRepPart
	if err := part.Unmarshal(raw); err != nil {
		return "", err
	}
	s.subkey = part.Subkey
	return "", nil
}

const (
	fromAcceptor   = 0x01 // RFC 4121 §4.2.2
	acceptorSubkey = 0x04
	noLayer        = 0x01 // RFC 4752 §3.3
)

// withoutLayer takes the server's offer of security layers and declines them.
func (s *krbSession) withoutLayer(token string) (string, error) {
	offer, flag, key, err := s.unwrap(token)
	if err != nil {
		return "", err
	}
	if len(offer) != 4 {
		return "", fmt.Errorf("an offer of %d bytes", len(offer))
	}
	if offer[0] != 0 && offer[0]&noLayer == 0 {
		return "", errors.New("the server demands a security layer of its own; it may do without on a TLS connection")
	}
	etype, err := crypto.GetEtype(key.KeyType)
	if err != nil {
		return "", err
	}
	answer := gssapi.WrapToken{
		Flags: flag & acceptorSubkey, EC: uint16(etype.GetHMACBitLength() / 8),
		Payload: []byte{noLayer, 0, 0, 0}, // and no authorization identity
	}
	if err := answer.SetCheckSum(key, keyusage.GSSAPI_INITIATOR_SEAL); err != nil {
		return "", err
	}
	raw, err := answer.Marshal()
	return string(raw), err
}

// unwrap verifies a wrap token without encryption (RFC 4121 §4.2.6.2), and
// returns what is in it with the flags and the key that it was made with.
func (s *krbSession) unwrap(token string) (payload []byte, flag byte, key types.EncryptionKey, err error) {
	b := []byte(token)
	if len(b) < gssapi.HdrLen || b[0] != 0x05 || b[1] != 0x04 || b[3] != gssapi.FillerByte || b[2]&fromAcceptor == 0 {
		return nil, 0, key, errors.New("not a wrap token of a server")
	}
	flag, key = b[2], s.key
	if flag&acceptorSubkey != 0 {
		key = s.subkey
	}
	sum, rotated := int(binary.BigEndian.Uint16(b[4:])), int(binary.BigEndian.Uint16(b[6:]))
	rest := b[gssapi.HdrLen:]
	if sum > len(rest) || len(rest) == 0 {
		return nil, 0, key, errors.New("a wrap token that is cut short")
	}
	rotated %= len(rest)
	rest = slices.Concat(rest[rotated:], rest[:rotated])
	t := gssapi.WrapToken{
		Flags: flag, EC: uint16(sum), SndSeqNum: binary.BigEndian.Uint64(b[8:]),
		Payload: rest[:len(rest)-sum], CheckSum: rest[len(rest)-sum:],
	}
	if ok, err := t.Verify(key, keyusage.GSSAPI_ACCEPTOR_SEAL); !ok {
		return nil, 0, key, err
	}
	return t.Payload, flag, key, nil
}
