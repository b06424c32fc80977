package wire

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"
)

func TestStartTLS(t *testing.T) {
	certificate, roots := authority(t)
	tests := []struct {
		name   string
		answer []byte
		roots  *x509.CertPool
		ok     bool
	}{
		{"success", message(1, result(opExtendedResponse, Success, "")), roots, true},
		{"unknown authority", message(1, result(opExtendedResponse, Success, "")), x509.NewCertPool(), false},
		{"refused", message(1, result(opExtendedResponse, ProtocolError, "unsupported")), roots, false},
		{"another response", message(1, result(opSearchDone, Success, "")), roots, false},
		{"another id", message(2, result(opExtendedResponse, Success, "")), roots, false},
		{"garbage", []byte("HTTP/1.1 400"), roots, false},
		// What an attacker puts behind the answer must not count as encrypted.
		{"injected", append(message(1, result(opExtendedResponse, Success, "")), message(2, result(opBindResponse, Success, ""))...), roots, false},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			var served sync.WaitGroup
			defer served.Wait()
			served.Go(func() {
				nc, err := listener.Accept()
				if err != nil {
					return
				}
				defer nc.Close()
				if _, err := nc.Read(make([]byte, 100)); err != nil {
					return
				}
				if _, err := nc.Write(tc.answer); err != nil {
					return
				}
				server := tls.Server(nc, &tls.Config{Certificates: []tls.Certificate{certificate}})
				if server.HandshakeContext(t.Context()) == nil {
					server.Write([]byte("secure"))
				}
			})
			nc, err := net.Dial("tcp", listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			secured, err := StartTLS(t.Context(), nc, &tls.Config{RootCAs: tc.roots, ServerName: "127.0.0.1"})
			if (err == nil) != tc.ok {
				t.Fatalf("got %v", err)
			}
			if e, ok := errors.AsType[*ResultError](err); tc.name == "refused" && (!ok || e.Code != ProtocolError) {
				t.Errorf("got %v", err)
			}
			if tc.ok {
				buf := make([]byte, 6)
				if _, err := secured.Read(buf); err != nil || string(buf) != "secure" {
					t.Errorf("read %q, %v", buf, err)
				}
			}
		})
	}
}

// authority makes a certificate for loopback that is its own authority.
func authority(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
