package handover

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"

	"github.com/shirou/gopsutil/v4/common"
	// Reads which sockets this process has: 45 KB of the shared object instead of a parser of /proc of our own.
	psnet "github.com/shirou/gopsutil/v4/net"
)

// errNoProc says that this system does not tell who has a connection's other end.
var errNoProc = errors.New("/proc does not tell who serves a connection")

// servedHere reports whether this very process serves the other end of a connection on this machine. Another
// Fluent Bit's monitoring API, say the one of yesterday's configuration that still has the port, would
// otherwise pass for this one's: its figures can look just as "delivered". Both ends of a loopback connection
// are in the kernel's tables. A server may have closed its end after its answer, so a process that listens on the
// port will do.
func servedHere(local, remote net.Addr) (bool, error) {
	here, okHere := local.(*net.TCPAddr)
	there, okThere := remote.(*net.TCPAddr)
	if !okHere || !okThere {
		return false, errNoProc
	}
	sockets, err := ownSockets()
	if err != nil {
		return false, err
	}
	for _, s := range sockets {
		if int(s.Laddr.Port) == there.Port && (int(s.Raddr.Port) == here.Port || s.Raddr.Port == 0) {
			return true, nil
		}
	}
	return false, nil
}

// ownSockets returns this process's TCP sockets. The near end of the connection in question is one of them, so that
// there are none means that /proc hides them.
func ownSockets() ([]psnet.ConnectionStat, error) {
	// Its number is that of the process namespace that /proc was mounted in, which need not be this process's.
	self, err := os.Readlink("/proc/self")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoProc, err)
	}
	pid, err := strconv.ParseInt(self, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoProc, err)
	}
	// HOST_PROC in the environment is meant for others, say a metrics agent in the same container.
	ctx := context.WithValue(context.Background(), common.EnvKey, common.EnvMap{common.HostProcEnvKey: "/proc"})
	sockets, err := psnet.ConnectionsPidWithoutUidsWithContext(ctx, "tcp", int32(pid))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errNoProc, err)
	case len(sockets) == 0:
		return nil, errNoProc
	}
	return sockets, nil
}
