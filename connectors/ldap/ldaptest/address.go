package ldaptest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
)

// address is a loopback host with the ports that a server was given there.
// No other process that uses this package is given them while it is held.
type address struct {
	host       string
	plain, tls int
	held       *lock
}

func (a *address) url() string    { return "ldap://" + join(a.host, a.plain) }
func (a *address) tlsURL() string { return "ldaps://" + join(a.host, a.tls) }

func join(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

// The ports given out lie below the range that Linux gives to outgoing
// connections (32768 and up), so that a port that was free stays free.
const firstPort, lastPort = 21000, 29998

// freePorts is a pair of free ports on 127.0.0.1.
func freePorts() (*address, error) {
	start := firstPort + os.Getpid()%((lastPort-firstPort)/2)*2
	for i := 0; i <= lastPort-firstPort; i += 2 {
		port := start + i
		if port > lastPort {
			port -= lastPort - firstPort + 2
		}
		a, err := take("127.0.0.1", port, port+1)
		if a != nil || err != nil {
			return a, err
		}
	}
	return nil, errors.New("no free port on 127.0.0.1")
}

// freeHost is a loopback address with the ports of LDAP free, for a server
// whose ports are constants.
func freeHost() (*address, error) {
	for n := 2; n < 255; n++ {
		a, err := take(fmt.Sprintf("127.0.0.%d", n), 389, 636)
		if a != nil || err != nil {
			return a, err
		}
	}
	return nil, errors.New("no free address from 127.0.0.2 to 127.0.0.254")
}

// take holds the ports of host, or answers nil if somebody has one of them.
func take(host string, plain, tls int) (*address, error) {
	root, err := userDir(os.TempDir())
	if err != nil {
		return nil, err
	}
	held, err := tryLock(filepath.Join(root, fmt.Sprintf("%s:%d.lock", host, plain)))
	if held == nil || err != nil {
		return nil, err
	}
	for _, port := range []int{plain, tls} {
		l, err := net.Listen("tcp", join(host, port))
		if err != nil {
			held.release()
			if errors.Is(err, os.ErrPermission) {
				return nil, err
			}
			return nil, nil //nolint:nilerr // Somebody else listens there: not an error, try the next.
		}
		_ = l.Close()
	}
	return &address{host: host, plain: plain, tls: tls, held: held}, nil
}
