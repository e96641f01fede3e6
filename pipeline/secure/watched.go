package secure

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"syscall"

	"ebb/pipeline"
)

// watched is a connection whose first answers are checked. With TLS 1.3 a server refuses the client's certificate only
// after the handshake. A server that requires TLS answers plain text with an alert, or not at all.
type watched struct {
	net.Conn
	dialer  *Dialer
	address string
	version uint64       // of the credentials it was made with
	entered bool         // nobody logs in on it: any answer means that the server accepts it
	proven  atomic.Bool  // an answer has come
	written atomic.Int32 // requests, up to youth+1
}

// youth is after how many requests a server has closed the connection if it required something else first.
const youth = 2

// plain is a connection without TLS, which shows whether it is still alive.
type plain struct {
	*watched
	syscall.Conn
}

func watch(conn net.Conn, d *Dialer, address string, version uint64) net.Conn {
	w := &watched{Conn: conn, dialer: d, address: address, version: version, entered: d.login == nil}
	if raw, ok := conn.(syscall.Conn); ok {
		return plain{w, raw}
	}
	return w
}

// Write implements [net.Conn].
func (w *watched) Write(b []byte) (int, error) {
	if w.written.Load() <= youth {
		w.written.Add(1)
	}
	return w.Conn.Write(b)
}

// Read implements [net.Conn]. A refusal is returned as *pipeline.Denied.
func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	if w.proven.Load() && err == nil {
		return n, nil
	}
	err = w.first(b[:n], err)
	if denied := (*pipeline.Denied)(nil); errors.As(err, &denied) {
		w.dialer.met(w.address, err, w.version)
		return 0, err
	}
	return n, err
}

// first checks an answer while the connection is young, and the connection's end at any time.
func (w *watched) first(answer []byte, err error) error {
	c := w.dialer.credentials
	switch {
	case len(answer) > 1 && !w.proven.Load() && !c.src.TLS && isAlert(answer):
		return c.needsTLS(w.address)
	case len(answer) > 0 && w.proven.CompareAndSwap(false, true):
		if w.entered { // otherwise the answer belongs to a login, which may end in a refusal
			c.gate.open(w.address)
		}
	case (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)) && w.written.Load() <= youth:
		return closed("%s at %s closed the new connection; %s: %v", c.src.Server, w.address, c.hint(), err)
	case err != nil && w.written.Load() <= youth:
		return c.explain(w.address, err)
	}
	return err
}

// isAlert reports whether bytes are the head of a TLS alert.
func isAlert(b []byte) bool { return b[0] == 21 && b[1] == 3 }
