package breakable

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// echo answers each byte with the same, and counts them.
func echo(t *testing.T) (address string, got chan byte) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	got = make(chan byte, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for b := make([]byte, 1); ; got <- b[0] {
					if _, err := c.Read(b); err != nil {
						return
					}
					c.Write(b) //nolint:errcheck // the other end may be gone
				}
			}()
		}
	}()
	return l.Addr().String(), got
}

// wired is a link before an echo, and a connection through it.
func wired(t *testing.T) (*Link, net.Conn, chan byte) {
	t.Helper()
	address, got := echo(t)
	n := NewNetwork()
	t.Cleanup(n.Close)
	l, err := n.Link(t.Context(), "test", address)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", l.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if !answers(t, c) || <-got != 'x' {
		t.Fatal("the link does not let through what it should")
	}
	return l, c, got
}

// answers sends a byte and waits for it to come back; false where the connection is closed, or nothing comes for a
// while.
func answers(t *testing.T, c net.Conn) bool {
	t.Helper()
	if _, err := c.Write([]byte("x")); err != nil {
		return false
	}
	return hears(t, c)
}

func hears(t *testing.T, c net.Conn) bool {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	_, err := c.Read(make([]byte, 1))
	return err == nil
}

func closed(t *testing.T, c net.Conn) bool {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, err := c.Read(make([]byte, 1))
	return errors.Is(err, io.EOF) || err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

// An answer is lost after its request was applied, and the connection with it; a request before it.
func TestLinkLoses(t *testing.T) {
	for name, c := range map[string]struct {
		requests, answers weather
		applied           bool
	}{
		"answers":  {answers: weather{losing: 1}, applied: true},
		"requests": {requests: weather{losing: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			l, conn, got := wired(t)
			l.set(c.requests, c.answers)
			if answers(t, conn) || !closed(t, conn) {
				t.Error("the connection stays open")
			}
			if c.applied && <-got != 'x' {
				t.Error("the request was not applied")
			}
			if !c.applied && len(got) > 0 {
				t.Error("the request was applied")
			}
		})
	}
}

// Stalled bytes arrive late, even when their sender has gone.
func TestLinkStalls(t *testing.T) {
	l, conn, got := wired(t)
	l.set(weather{stall: true}, weather{})
	if answers(t, conn) || len(got) > 0 {
		t.Fatal("it passes")
	}
	_ = conn.Close()
	l.set(weather{}, weather{})
	select {
	case <-got:
	case <-time.After(10 * time.Second):
		t.Error("it never arrives")
	}
}

// Swallowed bytes never arrive, and a cut closes the present connection, not the next one.
func TestLinkSwallowsAndCuts(t *testing.T) {
	l, conn, got := wired(t)
	l.set(weather{hole: true}, weather{})
	if answers(t, conn) {
		t.Fatal("it passes")
	}
	l.set(weather{}, weather{})
	l.cut()
	if !closed(t, conn) || len(got) > 0 {
		t.Error("the connection stays open, or something was applied")
	}
	again, err := net.Dial("tcp", l.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if !answers(t, again) {
		t.Error("a new connection does not work")
	}
}

// A link that refuses closes open connections, and accepts none until accept; it may be led elsewhere meanwhile.
func TestLinkRefusesAndLeads(t *testing.T) {
	l, conn, _ := wired(t)
	other, got := echo(t)
	l.refuse()
	if !closed(t, conn) {
		t.Error("the connection stays open")
	}
	if c, err := net.Dial("tcp", l.Address); err == nil {
		_ = c.Close()
		t.Error("a connection is accepted")
	}
	if err := errors.Join(l.lead(other), l.accept()); err != nil {
		t.Fatal(err)
	}
	again, err := net.Dial("tcp", l.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if !answers(t, again) || len(got) == 0 {
		t.Error("it does not lead to the other service")
	}
}
