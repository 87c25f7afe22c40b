package handover

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// The socket that serves a connection tells whose it is, and so does the one that listens, for a server may have closed
// its end. Another connection to the same port tells nothing.
func TestWhichSocketsTellWhoServesAConnection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	connect := func() (client, server net.Conn) {
		client, err := net.Dial("tcp", listener.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { client.Close() })
		server, err = listener.Accept()
		require.NoError(t, err)
		t.Cleanup(func() { server.Close() })
		return client, server
	}
	own := func(c net.Conn) bool {
		own, err := servedHere(c.LocalAddr(), c.RemoteAddr())
		require.NoError(t, err)
		return own
	}
	first, served := connect()
	second, _ := connect()
	require.NoError(t, served.Close())
	require.True(t, own(first), "by the one that listens")
	require.NoError(t, listener.Close())
	require.False(t, own(first))
	require.True(t, own(second), "by the one that serves it")
}
