// Command receiver takes the alerts that ebb deliver posts, and has each take effect once. Its store is a file of one
// line an alert; with a database, take is INSERT ... ON CONFLICT (id) DO NOTHING, together with the effect.
package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

type receiver struct {
	verifier *standardwebhooks.Webhook

	mu    sync.Mutex
	file  *os.File
	known map[string]bool // ids
}

// ServeHTTP verifies an alert, keeps it, and answers. Whoever acts on alerts reads the store.
func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, q.Body, 1<<20))
	if err != nil || r.verifier.Verify(body, q.Header) != nil {
		http.Error(w, "not signed", http.StatusUnauthorized)
		return
	}
	if err := r.take(q.Header.Get("webhook-id"), body); err != nil {
		http.Error(w, "try again", http.StatusServiceUnavailable)
	}
}

// take keeps an alert, unless it is known.
func (r *receiver) take(id string, body []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known[id] {
		return nil
	}
	if _, err := fmt.Fprintf(r.file, "%s %s\n", id, body); err != nil {
		return err
	}
	r.known[id] = true
	return r.file.Sync()
}

func open(secret, name string) (*receiver, error) {
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(name)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	r := &receiver{verifier: verifier, known: map[string]bool{}}
	whole := text[:bytes.LastIndexByte(text, '\n')+1] // without the line in which a crash came
	for line := range bytes.Lines(whole) {
		id, _, _ := bytes.Cut(line, []byte(" "))
		r.known[string(id)] = true
	}
	if r.file, err = os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600); err != nil {
		return nil, err
	}
	return r, r.file.Truncate(int64(len(whole)))
}

func main() {
	r, err := open(os.Getenv("EBB_SECRET"), os.Getenv("STATE_FILE"))
	if err != nil {
		log.Fatal(err)
	}
	server := http.Server{Addr: os.Getenv("LISTEN"), Handler: r, ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}
