package handover

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// errNoProc says that this system does not tell who has a connection's other end.
var errNoProc = errors.New("/proc does not tell who serves a connection")

// servedHere reports whether this very process serves the other end of a connection on this machine. Another
// Fluent Bit's monitoring API, say the one of yesterday's configuration that still has the port, would
// otherwise pass for this one's: its figures can look just as "delivered". Both ends of a loopback connection
// are in the kernel's tables, each with the inode by which its process has it open.
func servedHere(local, remote net.Addr) (bool, error) {
	here, okHere := local.(*net.TCPAddr)
	there, okThere := remote.(*net.TCPAddr)
	if !okHere || !okThere {
		return false, errNoProc
	}
	for _, table := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		inode, err := socketInode(table, there.Port, here.Port)
		if err != nil {
			return false, err
		}
		if inode != "" {
			if own, err := openHere("socket:[" + inode + "]"); own || err != nil {
				return own, err
			}
		}
	}
	return listensHere(there.Port)
}

// listensHere reports whether this process listens on a port: a server may have closed its end of the
// connection, after its answer, before that is looked for.
func listensHere(port int) (bool, error) {
	for _, table := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		inode, err := socketInode(table, port, 0) // the other end of a socket that listens is port 0
		if err != nil {
			return false, err
		}
		if inode == "" {
			continue
		}
		if own, err := openHere("socket:[" + inode + "]"); own || err != nil {
			return own, err
		}
	}
	return false, nil
}

// socketInode finds the socket with these ports in one of the kernel's tables; "" = it has none.
func socketInode(table string, localPort, remotePort int) (string, error) {
	file, err := os.Open(table)
	switch {
	case errors.Is(err, os.ErrNotExist) && strings.HasSuffix(table, "6"): // a kernel without IPv6
		return "", nil
	case err != nil:
		return "", fmt.Errorf("%w: %w", errNoProc, err)
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		fields := strings.Fields(lines.Text()) // sl, local address, remote address, state, …, inode in the tenth place
		if len(fields) > 9 && hexPort(fields[1]) == localPort && hexPort(fields[2]) == remotePort {
			return fields[9], nil
		}
	}
	return "", lines.Err()
}

// hexPort reads the port of an address such as 0100007F:07E4.
func hexPort(address string) int {
	_, hex, _ := strings.Cut(address, ":")
	port, err := strconv.ParseUint(hex, 16, 16)
	if err != nil {
		return -1
	}
	return int(port)
}

// openHere reports whether one of this process's descriptors is that socket.
func openHere(socket string) (bool, error) {
	descriptors, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return false, fmt.Errorf("%w: %w", errNoProc, err)
	}
	for _, descriptor := range descriptors {
		if target, err := os.Readlink(filepath.Join("/proc/self/fd", descriptor.Name())); err == nil && target == socket {
			return true, nil
		}
	}
	return false, nil
}
