package handover

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
)

// errNoProc says that this system does not tell who has a connection's other end.
var errNoProc = errors.New("/proc does not tell who serves a connection")

// servedHere reports whether this very process serves the other end of a connection on this machine. Another
// Fluent Bit's monitoring API, say the one of yesterday's configuration that still has the port, would
// otherwise pass for this one's: its figures can look just as "delivered". Both ends of a connection to oneself are
// among one's own files. A server may have closed its end after its answer, so a process that listens on the
// port will do.
//
// Each own file is asked, which costs a few system calls. The kernel's table of all connections would tell too, but
// reading it costs milliseconds, and this is asked several times a second.
func servedHere(local, remote net.Addr) (bool, error) {
	here, okHere := local.(*net.TCPAddr)
	there, okThere := remote.(*net.TCPAddr)
	if !okHere || !okThere {
		return false, errNoProc
	}
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return false, fmt.Errorf("%w: %w", errNoProc, err)
	}
	for _, file := range files {
		fd, err := strconv.Atoi(file.Name())
		if err != nil {
			continue
		}
		if portOf(syscall.Getsockname(fd)) != there.Port { // or no socket, or closed meanwhile
			continue
		}
		listens, _ := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN)
		if listens != 0 || portOf(syscall.Getpeername(fd)) == here.Port {
			return true, nil
		}
	}
	return false, nil
}

// portOf is the port of a socket's address, 0 if it has none.
func portOf(address syscall.Sockaddr, err error) int {
	if err != nil {
		return 0
	}
	switch a := address.(type) {
	case *syscall.SockaddrInet4:
		return a.Port
	case *syscall.SockaddrInet6:
		return a.Port
	}
	return 0
}
