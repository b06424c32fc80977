package ldaptest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// authority is a certificate authority for one server.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template, err := certificateTemplate("Test authority")
	if err != nil {
		return nil, err
	}
	template.IsCA = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return &authority{certificate, key}, err
}

func certificateTemplate(name string) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             now.Add(-24 * time.Hour),
		NotAfter:              now.AddDate(10, 0, 0),
		BasicConstraintsValid: true,
	}, nil
}

// issue signs a server certificate for public that is good for localhost,
// 127.0.0.1, host and the names, and answers its DER form.
func (a *authority) issue(public any, host string, names ...string) ([]byte, error) {
	template, err := certificateTemplate("localhost")
	if err != nil {
		return nil, err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	template.DNSNames = append([]string{"localhost"}, names...)
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	if host != "127.0.0.1" {
		template.IPAddresses = append(template.IPAddresses, net.ParseIP(host))
	}
	return x509.CreateCertificate(rand.Reader, template, a.certificate, public, a.key)
}

// issueClient signs a client certificate for public whose subject is cn=name.
func (a *authority) issueClient(public any, name string) ([]byte, error) {
	template, err := certificateTemplate(name)
	if err != nil {
		return nil, err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return x509.CreateCertificate(rand.Reader, template, a.certificate, public, a.key)
}

// The files of a TLS folder.
const (
	caFile, certFile, keyFile     = "ca.pem", "cert.pem", "key.pem"
	clientCertFile, clientKeyFile = "client.pem", "client-key.pem"
)

// writeTLS fills the folder dir with a new authority, a server certificate for
// host and the names, and a client certificate for the service.
func writeTLS(dir, host string, names ...string) error {
	a, err := newAuthority()
	if err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	cert, err := a.issue(key.Public(), host, names...)
	if err != nil {
		return err
	}
	client, err := a.issueClient(key.Public(), Marker+"-scim")
	if err != nil {
		return err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for name, block := range map[string]*pem.Block{
		caFile:         {Type: "CERTIFICATE", Bytes: a.certificate.Raw},
		certFile:       {Type: "CERTIFICATE", Bytes: cert},
		keyFile:        {Type: "PRIVATE KEY", Bytes: pkcs8},
		clientCertFile: {Type: "CERTIFICATE", Bytes: client},
		clientKeyFile:  {Type: "PRIVATE KEY", Bytes: pkcs8},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
	}
	return nil
}
