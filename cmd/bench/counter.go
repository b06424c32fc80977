package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
)

// A counter stands between the gateway and a directory and counts the operations that are asked for.
type counter struct {
	listener   net.Listener
	target     string
	done       sync.WaitGroup
	operations atomic.Int64 // searches and all that writes
	back       atomic.Int64 // bytes from the directory
}

func newCounter(ctx context.Context, url string) (*counter, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &counter{listener: l, target: strings.TrimPrefix(url, "ldap://")}
	c.done.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			c.done.Go(func() { c.serve(client) })
		}
	})
	return c, nil
}

func (c *counter) address() string { return c.listener.Addr().String() }

// stop waits for the connections to end: their client is to be gone before.
func (c *counter) stop() {
	_ = c.listener.Close()
	c.done.Wait()
}

func (c *counter) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", c.target)
	if err != nil {
		return
	}
	c.done.Go(func() {
		defer client.Close()
		buffer := make([]byte, 64<<10)
		for {
			n, err := server.Read(buffer)
			c.back.Add(int64(n)) // first, so that who has the bytes finds them counted
			if _, failed := client.Write(buffer[:n]); err != nil || failed != nil {
				return
			}
		}
	})
	defer server.Close()
	for in := bufio.NewReader(client); c.pass(server, in) == nil; {
	}
}

var errNotLDAP = errors.New("not an LDAP message")

// pass hands one message on and counts it.
func (c *counter) pass(to io.Writer, in *bufio.Reader) error {
	head, err := in.Peek(2)
	if err != nil {
		return err
	}
	size, length := 2, int(head[1])
	if octets := length - 0x80; octets > 0 && octets <= 4 {
		if head, err = in.Peek(2 + octets); err != nil {
			return err
		}
		var word [4]byte
		copy(word[4-octets:], head[2:])
		size, length = 2+octets, int(binary.BigEndian.Uint32(word[:]))
	} else if octets >= 0 {
		return errNotLDAP
	}
	message := make([]byte, size+length)
	if _, err := io.ReadFull(in, message); err != nil {
		return err
	}
	body := message[size:]
	if len(body) < 2 || body[0] != 0x02 || len(body) <= 2+int(body[1]) {
		return errNotLDAP
	}
	switch body[2+int(body[1])] { // the tag of the protocolOp, RFC 4511 §4.2
	case 0x60, 0x42, 0x50, 0x77: // bind, unbind, abandon, extended
	default:
		c.operations.Add(1)
	}
	_, err = to.Write(message)
	return err
}
