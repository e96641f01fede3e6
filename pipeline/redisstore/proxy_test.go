package redisstore_test

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
)

// proxy is between the store and a server and breaks things at a test's command. It ignores the errors of connections,
// since it causes them.
type proxy struct {
	listener net.Listener
	upstream *net.TCPAddr

	mu    sync.Mutex
	links map[*link]bool
	next  *breakage
}

// breakage happens once, to the first connection that sends EXEC.
type breakage struct {
	forward bool          // the server gets EXEC
	hold    chan struct{} // not nil: what follows EXEC waits until it is closed; nothing is broken
	stall   bool          // the connection stays open and silent; otherwise it is cut
	reached chan struct{} // closed once EXEC was seen and, if forwarded, the server has finished with it
}

func startProxy(t testing.TB, upstream string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	to, err := net.ResolveTCPAddr("tcp", upstream)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, upstream: to, links: map[*link]bool{}}
	var running sync.WaitGroup
	running.Go(func() { p.accept(&running) })
	t.Cleanup(func() {
		_ = l.Close()
		p.cut()
		running.Wait()
	})
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

// breakNext makes b happen at the next EXEC.
func (p *proxy) breakNext(b breakage) *breakage {
	b.reached = make(chan struct{})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = &b
	return &b
}

// cut closes every connection.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.close()
	}
	clear(p.links)
}

func (p *proxy) accept(running *sync.WaitGroup) {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.DialTCP("tcp", nil, p.upstream)
		if err != nil {
			_ = client.Close()
			continue
		}
		l := &link{client: client, server: server}
		p.mu.Lock()
		p.links[l] = true
		p.mu.Unlock()
		running.Go(l.answers)
		running.Go(func() { l.requests(p.take) })
	}
}

// take returns the breakage for this EXEC; nil: none.
func (p *proxy) take() *breakage {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.next
	p.next = nil
	return b
}

// link is one connection through the proxy.
type link struct {
	client net.Conn
	server *net.TCPConn

	mu    sync.Mutex
	muted bool
}

func (l *link) close() {
	_ = l.client.Close()
	_ = l.server.Close()
}

func (l *link) answers() {
	buf := make([]byte, 64<<10)
	for {
		n, err := l.server.Read(buf)
		l.mu.Lock()
		muted := l.muted
		l.mu.Unlock()
		if err != nil {
			if !muted {
				l.close()
			}
			return
		}
		if !muted {
			_, _ = l.client.Write(buf[:n])
		}
	}
}

var execBytes = []byte("$4\r\nEXEC\r\n")

func (l *link) requests(take func() *breakage) {
	defer l.close()
	buf := make([]byte, 64<<10)
	seen := 0 // how many bytes of execBytes the stream ends with
	for {
		n, err := l.client.Read(buf)
		if err != nil {
			return
		}
		chunk := buf[:n]
		for len(chunk) > 0 {
			end := findExec(chunk, &seen)
			if end < 0 {
				break
			}
			if b := take(); b != nil && !l.act(b, chunk[:end]) {
				return
			} else if b == nil {
				_, _ = l.server.Write(chunk[:end])
			}
			chunk = chunk[end:]
		}
		_, _ = l.server.Write(chunk)
	}
}

// findExec returns where in chunk an EXEC ends, or -1; seen carries a beginning over to the next chunk.
func findExec(chunk []byte, seen *int) int {
	for i, c := range chunk {
		switch c {
		case execBytes[*seen]:
			*seen++
		case execBytes[0]:
			*seen = 1
		default:
			*seen = 0
		}
		if *seen == len(execBytes) {
			*seen = 0
			return i + 1
		}
	}
	return -1
}

// act applies b to a stream that goes on with upToExec, and reports whether the connection goes on.
func (l *link) act(b *breakage, upToExec []byte) bool {
	if b.hold != nil {
		_, _ = l.server.Write(upToExec)
		close(b.reached)
		<-b.hold
		return true
	}
	l.mu.Lock()
	l.muted = true
	l.mu.Unlock()
	if b.forward {
		_, _ = l.server.Write(upToExec)
	} else {
		_, _ = l.server.Write(bytes.TrimSuffix(upToExec, execBytes[len(execBytes)-1:]))
	}
	_ = l.server.CloseWrite()
	_, _ = io.Copy(io.Discard, l.server) // the server has read it all once it closes; answers() may take part of it
	close(b.reached)
	if b.stall {
		_, _ = io.Copy(io.Discard, l.client) // until the client gives up
	}
	return false
}
