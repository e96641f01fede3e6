//go:build integration

package linetest_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline"
	"ebb/pipeline/redisstore"
	"ebb/scoring/profile"
)

// Official libraries, as pip installs them, send records that ebb reads without configuration.

// sendersBegin is the time of the first event in the scripts of the folder senders.
var sendersBegin = time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)

// python runs a script of the folder senders with the libraries that it names, and returns its output.
func python(t *testing.T, libraries, script string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "python3", append([]string{filepath.Join("senders", script)}, args...)...)
	cmd.Env = append(os.Environ(), "PYTHONPATH="+libraries, "PYTHONDONTWRITEBYTECODE=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, stderr.String())
	}
	return out
}

// libraries installs the libraries that a file lists into a folder of the test's own.
func libraries(t *testing.T, requirements string) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.CommandContext(
		t.Context(),
		"python3",
		"-m",
		"pip",
		"install",
		"--quiet",
		"--disable-pip-version-check",
		"--root-user-action=ignore",
		"--only-binary=:all:",
		"--target",
		dir,
		"--requirement",
		requirements,
	)
	out, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		t.Fatalf(
			"needs Python 3.10 or later with pip (packages python3 and python3-pip, which .ci/run integration installs): %v",
			err,
		)
	}
	if err != nil {
		t.Fatalf(
			"pip has not installed the libraries (package python3-pip, and a package index in reach): %v\n%s",
			err,
			out,
		)
	}
	return dir
}

// TestUnmodifiedSenders runs both libraries, which share an installation.
func TestUnmodifiedSenders(t *testing.T) {
	t.Parallel()
	dir := libraries(t, filepath.Join("senders", "requirements.txt"))
	t.Run("segment", func(t *testing.T) { testSegmentLibrary(t, dir) })
	t.Run("cloudevents", func(t *testing.T) { testCloudEventsLibrary(t, dir) })
}

// sendersGroup makes a group to which one type of event is activity, and another none.
func sendersGroup(w *world) *group {
	g := w.group("run", redisAddress(), map[string]string{
		"pack.name": "any", "pack.activity": "[Order Completed, Page Viewed, Screen Viewed]", "pack.friction": "{}",
		"input.anonymous": "track",
	})
	delete(g.keys, "pack")
	return g
}

// activity is a customer's activity in the state: how many visits, and when the last was, in ms since the epoch.
type activity struct {
	Visits uint32
	Last   int64
}

// activities reads the state of the partition, by tenant and customer.
func (g *group) activities() map[string]activity {
	g.t.Helper()
	ctx := g.t.Context()
	client, err := redisstore.Open(ctx, redisstore.Config{Addresses: []string{redisAddress()}})
	if err != nil {
		g.t.Fatal(err)
	}
	defer client.Close()
	keys, err := g.redis.HKeys(ctx, "ebb:{"+g.name+":p0}:profiles").Result()
	if err != nil {
		g.t.Fatal(err)
	}
	found := map[string]activity{}
	for _, key := range keys {
		at, err := client.Inspect(ctx, g.name, 0, []byte(key))
		if err != nil {
			g.t.Fatal(err)
		}
		var p profile.Profile
		if err := profile.Read(at.Profile, &profile.Customer{Profile: &p}); err != nil {
			g.t.Fatal(err)
		}
		tenant, customer := pipeline.SplitKey([]byte(key))
		if p.Visits > 0 {
			found[strings.Trim(string(tenant)+"/"+string(customer), "/")] = activity{p.Visits, p.Last}
		}
	}
	return found
}

// receiver takes batches like Segment's server and keeps each message as a record, with the batch's sentAt. It answers
// the first batch of orders only with an error after it has taken it, so that the library sends it again.
type receiver struct {
	mu       sync.Mutex
	batches  int
	repeated int // messages of the batch that came twice
	records  []record
	seen     map[string]bool     // ids of messages
	want     map[string]activity // by customer, computed from the messages
	err      error
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var batch struct {
		Batch  []map[string]json.RawMessage
		SentAt json.RawMessage
	}
	err := json.NewDecoder(q.Body).Decode(&batch)
	if err == nil && q.URL.Path != "/v1/batch" {
		err = fmt.Errorf("posted to %s", q.URL.Path)
	}
	if err != nil {
		r.err = errors.Join(r.err, err)
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	received := time.Now().UnixMilli()
	orders := true
	for _, m := range batch.Batch {
		m["sentAt"] = batch.SentAt
		orders = orders && bytes.HasPrefix(m["userId"], []byte(`"c-`)) && string(m["event"]) == `"Order Completed"`
		r.err = errors.Join(r.err, r.keep(m, received))
	}
	if r.batches++; orders && r.repeated == 0 {
		r.repeated = len(batch.Batch)
		http.Error(w, "taken, but nobody will know", http.StatusInternalServerError)
	}
}

// keep makes a record of a message, and computes in a simple way whose it is and when it happened.
func (r *receiver) keep(m map[string]json.RawMessage, received int64) error {
	value, err := json.Marshal(m)
	if err != nil {
		return err
	}
	var plain struct {
		Type, Event, UserID, AnonymousID, MessageID string
		Timestamp, SentAt                           time.Time
	}
	if err := json.Unmarshal(value, &plain); err != nil {
		return err
	}
	customer := plain.UserID
	if customer == "" {
		customer = plain.AnonymousID
	}
	r.records = append(r.records, record{key: customer, value: value, millis: received})
	if r.seen[plain.MessageID] {
		return nil
	}
	r.seen[plain.MessageID] = true
	if plain.Event == "Order Completed" || plain.Type == "page" || plain.Type == "screen" {
		r.want[customer] = activity{
			r.want[customer].Visits + 1,
			plain.Timestamp.UnixMilli() + received - plain.SentAt.UnixMilli(),
		}
	}
	return nil
}

func testSegmentLibrary(t *testing.T, dir string) {
	r := &receiver{seen: map[string]bool{}, want: map[string]activity{}}
	server := httptest.NewServer(r)
	defer server.Close()
	python(t, dir, "send_segment.py", server.URL)
	if r.err != nil {
		t.Fatal(r.err)
	}
	const messages = 258
	if len(r.records) != messages+r.repeated || r.repeated == 0 || r.batches < 4 {
		t.Fatalf("%d messages, %d of them repeated, in %d batches", len(r.records), r.repeated, r.batches)
	}
	w := newWorld(t, 1)
	w.produce(r.records)
	g := sendersGroup(w)
	s := g.run(nil, nil, "--until-end").finish()
	if s.Events != len(r.records) || s.Quarantined != 0 || s.Duplicates != r.repeated {
		t.Errorf("summary %+v, want %d events, %d of them duplicates, and none quarantined", s, len(r.records), r.repeated)
	}
	got := g.activities()
	if diff := gocmp.Diff(r.want, got); diff != "" {
		t.Errorf("state (-messages +ebb):\n%s", diff)
	}
	g.checkBegin(got, map[string]activity{
		"visitor": {1, 0}, "42": {1, 0}, "reader": {1, 0}, "viewer": {1, 0},
		"c-0": {25, 240 * 3}, "c-1": {25, 241 * 3}, "c-2": {25, 242 * 3}, "c-3": {25, 243 * 3}, "c-4": {25, 244 * 3},
		"c-5": {25, 245 * 3}, "c-6": {25, 246 * 3}, "c-7": {25, 247 * 3}, "c-8": {25, 248 * 3}, "c-9": {25, 249 * 3},
	})
}

// checkBegin compares the state with the visits and hours since the begin in the scripts. The times may be off by the
// time between a message's sending and its receipt.
func (g *group) checkBegin(got, want map[string]activity) {
	g.t.Helper()
	hours := maps.Clone(got)
	for customer, a := range got {
		hours[customer] = activity{a.Visits, (a.Last - sendersBegin.UnixMilli()) / time.Hour.Milliseconds()}
	}
	if diff := gocmp.Diff(want, hours); diff != "" {
		g.t.Errorf("visits and hours (-script +ebb):\n%s", diff)
	}
}

func testCloudEventsLibrary(t *testing.T, dir string) {
	var records []record
	lines := bufio.NewScanner(bytes.NewReader(python(t, dir, "send_cloudevents.py")))
	for lines.Scan() {
		var m struct {
			Key     string
			Headers map[string]string
			Value   string
		}
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			t.Fatal(err)
		}
		value, err := base64.StdEncoding.DecodeString(m.Value)
		if err != nil {
			t.Fatal(err)
		}
		r := record{key: m.Key, value: value, millis: time.Now().UnixMilli()}
		for _, name := range slices.Sorted(maps.Keys(m.Headers)) {
			r.headers = append(r.headers, kgo.RecordHeader{Key: name, Value: []byte(m.Headers[name])})
		}
		records = append(records, r)
	}
	const events = 27
	if len(records) != 2*events {
		t.Fatalf("%d messages, want each of %d events in both modes", len(records), events)
	}
	w := newWorld(t, 1)
	w.produce(records)
	g := sendersGroup(w)
	s := g.run(nil, nil, "--until-end").finish()
	const repeats = events - 1 // a customer without an event that counts has no state, and so no ids for a repeat
	if s.Events != 2*events || s.Quarantined != 0 || s.Duplicates != repeats {
		t.Errorf("summary %+v, want %d events, %d of them duplicates, and none quarantined", s, 2*events, repeats)
	}
	got := g.activities()
	g.checkBegin(got, map[string]activity{
		"by-extension": {
			1,
			0,
		},
		"by-data":              {1, 0},
		"by-key":               {1, 0},
		"shop-de/without-data": {1, 0},
		"of-xml":               {1, 0},
		"of-bytes":             {1, 0},
		"c-0":                  {4, 15 * 6},
		"c-1":                  {4, 16 * 6},
		"c-2":                  {4, 17 * 6},
		"c-3":                  {4, 18 * 6},
		"c-4":                  {4, 19 * 6},
	})
	for customer, a := range got {
		if a.Last%time.Hour.Milliseconds() != sendersBegin.UnixMilli()%time.Hour.Milliseconds() {
			t.Errorf("%s: the last visit was at %s", customer, time.UnixMilli(a.Last).UTC())
		}
	}
}
