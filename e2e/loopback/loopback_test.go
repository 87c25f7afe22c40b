package loopback

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPortsAreFreeAndLentOnce(t *testing.T) {
	addresses, err := Addresses(50)
	require.NoError(t, err)
	for _, a := range addresses { // fails if two are the same
		listener, err := net.Listen("tcp", a)
		require.NoError(t, err)
		defer listener.Close()
		require.Less(t, listener.Addr().(*net.TCPAddr).Port, 32768)
	}
}

func TestAPortThatIsTakenIsNotLent(t *testing.T) {
	next := first + int((lent.Load()+1)%ports)
	listener, err := net.Listen("tcp", address(next))
	if err != nil {
		t.Skip("something else listens there")
	}
	defer listener.Close()
	port, err := Port()
	require.NoError(t, err)
	require.NotEqual(t, next, port)
}
