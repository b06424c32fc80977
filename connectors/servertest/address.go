package servertest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
)

// An Address is a loopback host with the ports that a server was given there.
// No other process that uses this package is given them until its Release.
type Address struct {
	Host       string
	Plain, TLS int
	held       *Lock
}

// Release gives the ports back.
func (a *Address) Release() { a.held.Release() }

// Join makes an address of a host and a port.
func Join(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

// The ports given out lie below the range that Linux gives to outgoing
// connections (32768 and up), so that a port that was free stays free.
const firstPort, lastPort = 21000, 29998

// FreePorts is a pair of free ports on 127.0.0.1.
func FreePorts() (*Address, error) {
	start := firstPort + os.Getpid()%((lastPort-firstPort)/2)*2
	for i := 0; i <= lastPort-firstPort; i += 2 {
		port := start + i
		if port > lastPort {
			port -= lastPort - firstPort + 2
		}
		a, err := Take("127.0.0.1", port, port+1)
		if a != nil || err != nil {
			return a, err
		}
	}
	return nil, errors.New("no free port on 127.0.0.1")
}

// FreeHost is a loopback address with the ports of LDAP free, for a server
// whose ports are constants.
func FreeHost() (*Address, error) {
	for n := 2; n < 255; n++ {
		a, err := Take(fmt.Sprintf("127.0.0.%d", n), 389, 636)
		if a != nil || err != nil {
			return a, err
		}
	}
	return nil, errors.New("no free address from 127.0.0.2 to 127.0.0.254")
}

// Take holds the ports of host, or answers nil if somebody has one of them.
func Take(host string, plain, tls int) (*Address, error) {
	root, err := UserDir(os.TempDir())
	if err != nil {
		return nil, err
	}
	held, err := TryLock(filepath.Join(root, fmt.Sprintf("%s:%d.lock", host, plain)))
	if held == nil || err != nil {
		return nil, err
	}
	for _, port := range []int{plain, tls} {
		l, err := net.Listen("tcp", Join(host, port))
		if err != nil {
			held.Release()
			if errors.Is(err, os.ErrPermission) {
				return nil, err
			}
			return nil, nil //nolint:nilerr // Somebody else listens there: not an error, try the next.
		}
		_ = l.Close()
	}
	return &Address{Host: host, Plain: plain, TLS: tls, held: held}, nil
}
