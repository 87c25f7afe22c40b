// Package loopback lends ports of the loopback address to the servers that tests and measurements start.
package loopback

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync/atomic"
)

// The ports lie below those that a system gives to outgoing connections (ip(7): from 32768). One of these would else
// take a port between the moment when it is found free and the one when the server listens on it.
const (
	first = 20_000
	ports = 12_000
)

// lent counts the ports that were looked at, from one at random, so that two processes seldom try the same.
var lent atomic.Uint32

func init() { lent.Store(rand.Uint32N(ports)) }

// Port returns one that nothing listens on and that was not lent lately.
func Port() (port int, err error) {
	for range ports {
		port = first + int(lent.Add(1)%ports)
		listener, err := net.Listen("tcp", address(port))
		if err == nil {
			return port, listener.Close()
		}
	}
	return 0, fmt.Errorf("something listens on each port from %d to %d", first, first+ports-1)
}

// Addresses returns as many, with such ports.
func Addresses(n int) ([]string, error) {
	addresses := make([]string, n)
	for i := range addresses {
		port, err := Port()
		if err != nil {
			return nil, err
		}
		addresses[i] = address(port)
	}
	return addresses, nil
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
