package health

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/figures"
)

// Member is one instance as the server sees it. Its functions are called by several goroutines.
type Member struct {
	Instance func() Instance
	Stats    func() figures.Stats
	Labels   []figures.Label // of its figures, besides its name
	Errorf   func(format string, args ...any)
	Infof    func(format string, args ...any)
}

// servers are those of the process: instances that name the same address share one.
var servers registry

type registry struct {
	mu   sync.Mutex
	list map[string]*server // by address
}

type server struct {
	address string
	cancel  context.CancelFunc
	done    chan struct{}

	mu      sync.Mutex
	members []*Member
}

// Join has the address answer for one more instance until leave is called, which waits until nothing is answered any
// more. That an address cannot be listened on is logged and tried again: the collection does not depend on it.
func Join(address string, m Member) (leave func()) {
	servers.mu.Lock()
	defer servers.mu.Unlock()
	s := servers.list[address]
	if s == nil {
		ctx, cancel := context.WithCancel(context.Background())
		s = &server{address: address, cancel: cancel, done: make(chan struct{})}
		if servers.list == nil {
			servers.list = make(map[string]*server)
		}
		servers.list[address] = s
		go s.run(ctx)
	}
	member := &m
	s.change(func(list []*Member) []*Member { return append(list, member) })
	return func() { servers.leave(s, member) }
}

func (r *registry) leave(s *server, m *Member) {
	r.mu.Lock()
	left := s.change(func(list []*Member) []*Member {
		return slices.DeleteFunc(slices.Clone(list), func(other *Member) bool { return other == m })
	})
	if left == 0 {
		delete(r.list, s.address)
		s.cancel()
	}
	r.mu.Unlock()
	if left == 0 {
		<-s.done
	}
}

func (s *server) change(do func([]*Member) []*Member) (left int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.members = do(s.members)
	return len(s.members)
}

func (s *server) all() []*Member {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.members)
}

const (
	firstRetry = time.Second // of listening; a process that is being replaced may still hold the address
	mostRetry  = 30 * time.Second
)

// run listens and serves until ctx ends.
func (s *server) run(ctx context.Context) {
	defer close(s.done)
	told := false
	for wait := firstRetry; ctx.Err() == nil; wait = min(2*wait, mostRetry) {
		err := s.serve(ctx, told)
		if err == nil {
			return
		}
		if !told && wait > firstRetry {
			told = true
			for _, m := range s.all() {
				m.Errorf(
					"status_listen %s: %v; tries again every %s, and the collection goes on", s.address, reason(err), mostRetry,
				)
			}
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// reason is what the system says, without the address that the message has anyway.
func reason(err error) error {
	var operation *net.OpError
	if errors.As(err, &operation) {
		return operation.Err
	}
	return err
}

const (
	mostConnections = 32 // at once
	slowest         = 10 * time.Second
	goodbye         = time.Second // for answers under way when the last instance ends
)

// serve returns why the address cannot be served, nil when ctx ended.
func (s *server) serve(ctx context.Context, told bool) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.address)
	if err != nil {
		return err
	}
	if told {
		for _, m := range s.all() {
			m.Infof("status_listen %s: answers now", s.address)
		}
	}
	web := &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: slowest / 2, ReadTimeout: slowest, WriteTimeout: slowest, IdleTimeout: time.Minute,
		MaxHeaderBytes: 8 << 10,
		ErrorLog:       log.New(io.Discard, "", 0), // what strangers send is no matter of the log
	}
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(&bounded{Listener: listener, free: make(chan struct{}, mostConnections)}) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	if web.Shutdown(patience) != nil {
		_ = web.Close() // nobody is told but those who did not wait
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// bounded accepts no more than so many connections at once.
type bounded struct {
	net.Listener
	free chan struct{} // has one for each that is open
}

// Accept waits for a connection for which there is room; others are closed.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		c, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case b.free <- struct{}{}:
			return &counted{Conn: c, end: sync.OnceFunc(func() { <-b.free })}, nil
		default:
			_ = c.Close() // nothing was said on it
		}
	}
}

type counted struct {
	net.Conn
	end func()
}

// Close makes room for another.
func (c *counted) Close() error {
	defer c.end()
	return c.Conn.Close()
}

// unique tells instances with the same name apart: Fluent Bit before 4.1 does not tell names.
func unique(names map[string]int, name string) string {
	names[name]++
	if n := names[name]; n > 1 {
		return name + "-" + strconv.Itoa(n)
	}
	return name
}
