package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
	"ebb/scoring/scoringtest/golden"
	"ebb/sinks/format"
)

func TestDLQList(t *testing.T) {
	l := newLetters(t)
	if got := l.dlq(exitOK, "list"); got.stdout != "0 records in events.dlq, 0 bytes, 0 replayed\n" {
		t.Errorf("an empty DLQ: %q", got.stdout)
	}
	l.quarantine(30)
	err := l.client(t).
		ProduceSync(t.Context(), &kgo.Record{Topic: "events.dlq", Value: []byte("somebody's")}).
		FirstErr()
	if err != nil {
		t.Fatal(err)
	}
	l.replay("--code", "customer_missing", "--yes")
	var b strings.Builder
	for _, args := range []string{
		"",
		"--code not_json --code nested_too_deep",
		"--partition 3 --offsets 11-19",
		"--partition 1 --offsets 13",
		"--partition 1 --offsets 9-13 --json",
	} {
		fmt.Fprintf(
			&b,
			"$ ebb dlq list %s\n%s\n",
			args,
			l.dlq(exitOK, append([]string{"list"}, strings.Fields(args)...)...).stdout,
		)
	}
	golden.File(t, "dlq_list.golden", b.String())
}

func TestDLQShow(t *testing.T) {
	l := newLetters(t)
	if got := l.dlq(exitOK, "show"); got.stdout != "" || got.stderr != "no such record in events.dlq\n" {
		t.Errorf("an empty DLQ: %q, %q", got.stdout, got.stderr)
	}
	odd := kafkabatch.AppendHeaders(
		nil,
		nil,
		kafkabatch.Header{Key: "\x1b[2J", Value: []byte("\r\n")},
		kafkabatch.Header{Key: "null"},
	)
	l.put(
		pipeline.Record{Offset: 0, Timestamp: dlqStart, Key: []byte("k"), Value: []byte("{\"customer\":\n\t\"é\"")},
		pipeline.Record{
			Offset:    1,
			Timestamp: dlqStart,
			Key:       []byte("k"),
			Value:     []byte("\x00\x00\x00\x00\x07avro and more than one line of it"),
			Headers:   odd,
		},
		pipeline.Record{Offset: 2, Timestamp: dlqStart, Key: []byte("k")},
		pipeline.Record{Offset: 3, Timestamp: -1, Key: []byte("k"), Value: []byte("\x1b]0;title\x07")},
	)
	l.replay("--partition", "2")
	var b strings.Builder
	for _, args := range []string{"", "--limit 1", "--partition 2 --json"} {
		got := l.dlq(exitOK, append([]string{"show"}, strings.Fields(args)...)...)
		fmt.Fprintf(&b, "$ ebb dlq show %s\n%s%s\n", args, got.stdout, got.stderr)
	}
	since := regexp.MustCompile(`"quarantined_at":"[^"]+"`)
	golden.File(t, "dlq_show.golden", since.ReplaceAllString(b.String(), `"quarantined_at":"NOW"`))
}

// TestDLQShowJSONIsExact: the output of --json is the record, whatever its bytes.
func TestDLQShowJSONIsExact(t *testing.T) {
	l := newLetters(t)
	l.quarantine(30)
	seen := 0
	for line := range strings.Lines(l.dlq(exitOK, "show", "--json").stdout) {
		var r struct {
			Input     format.Place
			Timestamp int64
			Key       *string
			Value     string
			Headers   []struct {
				Key   string
				Value *string
			}
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		want := &l.sent[r.Input.Offset]
		value, err := base64.StdEncoding.DecodeString(r.Value)
		if err != nil || string(value) != string(want.Value) || r.Timestamp != want.Timestamp ||
			(r.Key == nil) != (want.Key == nil) ||
			len(r.Headers) != 2 ||
			r.Headers[1].Value != nil {
			t.Errorf("%s: %v", line, err)
		}
		seen++
	}
	if seen != 30 {
		t.Errorf("%d records", seen)
	}
}

// TestDLQShowsNoOrders: control sequences in the DLQ do not reach a person's terminal.
func TestDLQShowsNoOrders(t *testing.T) {
	l := newLetters(t)
	forged := format.Renderer{DLQ: "events.dlq", Input: "\x1b[2Jevents"}
	o, _ := forged.Render(nil, &pipeline.Entry{Kind: pipeline.EntryQuarantine, Code: pipeline.NotJSON}, &pipeline.Record{})
	k := &kgo.Record{Topic: o.Topic, Value: o.Value}
	for key, value := range kafkabatch.Headers(o.Headers) {
		if string(key) == "ebb.error.code" {
			value = []byte("\x1b]0;title\x07")
		}
		k.Headers = append(k.Headers, kgo.RecordHeader{Key: string(key), Value: value})
	}
	if err := l.client(t).ProduceSync(t.Context(), k).FirstErr(); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"list", "show"} {
		out := l.dlq(exitOK, command).stdout
		if strings.ContainsAny(out, "\x1b\x07") || !strings.Contains(out, `\x1b]0;title\a`) {
			t.Errorf("%s: %q", command, out)
		}
	}
}

// TestDLQReadsThroughEmptyAnswers: a new leader holds nothing up, and nothing is left out.
func TestDLQReadsThroughEmptyAnswers(t *testing.T) {
	l := newLetters(t)
	l.quarantine(30)
	l.replay("--code", "not_json", "--yes")
	l.answerEmptyAtFirst()
	got := l.dlq(exitOK, "list")
	if !strings.HasSuffix(got.stdout, "\n30 records in events.dlq, 650 bytes, 10 replayed\n") || got.stderr != "" {
		t.Errorf("stdout:\n%s\nstderr: %s", got.stdout, got.stderr)
	}
}
