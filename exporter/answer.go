package exporter

import (
	"context"
	"io"
)

// answer is one response of the endpoint on its way to the decoder. Its body is read by a goroutine of its own, so that the collector can
// save checkpoints while a slow server keeps it waiting.
type answer struct {
	*response
	ctx    context.Context
	cancel context.CancelFunc
	c      *collector
	filled chan chunk
	spare  chan []byte
	rest   []byte // of the chunk that is being read
	buffer []byte // that rest is part of
	err    error  // that ended the body
}

type chunk struct {
	data []byte
	err  error
}

const (
	firstBytes = 32 << 10  // of an answer; most are smaller
	chunkBytes = 512 << 10 // of what is behind it: handing a chunk over costs two switches between goroutines
)

// open asks for a window; the answer must be closed.
func (c *collector) open(ctx context.Context, w window) (*answer, error) {
	c.stats.requests.Add(1)
	ctx, cancel := context.WithCancel(ctx)
	type opened struct {
		response *response
		err      error
	}
	ch := make(chan opened, 1)
	go func() {
		response, err := c.client.open(ctx, w.start, w.end)
		ch <- opened{response, err}
	}()
	got, err := await(ctx, c, ch)
	if err != nil {
		cancel()
		if got = <-ch; got.response != nil {
			got.response.body.Close()
		}
		return nil, err
	}
	if got.err != nil {
		cancel()
		return nil, got.err
	}
	c.observe(got.response.date)
	a := &answer{response: got.response, ctx: ctx, cancel: cancel, c: c, filled: make(chan chunk), spare: make(chan []byte, 2)}
	for i := range c.chunks { // used again by each answer: the last one's goroutine has ended
		if c.chunks[i] == nil {
			c.chunks[i] = make([]byte, chunkBytes)
		}
		a.spare <- c.chunks[i]
	}
	go a.fill()
	return a, nil
}

// fill reads the body ahead by one chunk.
func (a *answer) fill() {
	defer close(a.filled)
	for long := false; ; {
		var buffer []byte
		select {
		case buffer = <-a.spare:
		case <-a.ctx.Done():
			return
		}
		if long && len(buffer) < chunkBytes {
			buffer = make([]byte, chunkBytes)
		}
		n, err := readSome(a.body, buffer)
		long = long || n == len(buffer)
		select {
		case a.filled <- chunk{buffer[:n], err}:
		case <-a.ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// readSome fills buffer, but does not keep rows waiting that are there when the server is slow.
func readSome(r io.Reader, buffer []byte) (n int, err error) {
	for n == 0 && err == nil {
		n, err = r.Read(buffer)
	}
	return n, err
}

// Read is the decoder's way to the body.
func (a *answer) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		if a.err != nil {
			return 0, a.err
		}
		if a.buffer != nil {
			a.spare <- a.buffer
			a.buffer = nil
		}
		got, err := await(a.ctx, a.c, a.filled)
		if err != nil {
			a.err = err
			return 0, err
		}
		a.rest, a.buffer, a.err = got.data, got.data[:cap(got.data)], got.err
		a.c.stats.bytes.Add(int64(len(got.data)))
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// close ends the answer and waits for its goroutine.
func (a *answer) close() {
	a.cancel()
	for range a.filled {
	}
	_ = a.body.Close()
}
