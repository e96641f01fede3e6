package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"ebb/cmd/ebb/held"
	"ebb/pipeline"
)

// silentLog is a part of stormLog: its events from a day on.
func silentLog(customers, from, days int) string {
	var part strings.Builder
	for line := range strings.Lines(stormLog(customers, days)) {
		if line[strings.Index(line, "2026-01-"):] >= fmt.Sprintf("2026-01-%02d", from) {
			part.WriteString(line)
		}
	}
	return part.String()
}

// TestSilence: while a silence is in force what it matches is held; at its end, and where somebody ends it before, it is
// decided anew. The others are raised as always. A replay decides all of it again.
func TestSilence(t *testing.T) {
	s := startServices(t)
	s.environ = append(s.environ, "EBB_HTTP_LISTEN=", "EBB_LOG_FORMAT=json", "EBB_PACK=any")
	run(t, s.environ, nil, "check", "--create", "--partitions", "1").want(t, exitOK)
	produce := func(from, days int) {
		t.Helper()
		name := fmt.Sprintf("from%d.ndjson", from)
		run(t, s.environ, nil, "produce", writeLog(t, name, silentLog(40, from, days))).want(t, exitOK)
	}
	silences := func() (all []held.Silence) {
		t.Helper()
		o := run(t, s.environ, nil, "silence", "list", "--json").want(t, exitOK)
		if err := json.Unmarshal([]byte(o.stdout), &all); err != nil {
			t.Fatal(err)
		}
		return all
	}
	ledger := func(outcome string) int {
		t.Helper()
		o := run(t, s.environ, nil, "decisions", "--json", "--newest", "1000", "--outcome", outcome).want(t, exitOK)
		return strings.Count(o.stdout, "\n")
	}
	add := func(args ...string) (got pipeline.Silence) {
		t.Helper()
		o := run(t, s.environ, nil, append([]string{"silence", "add", "--json", "--by", "kim"}, args...)...).want(t, exitOK)
		if err := json.Unmarshal([]byte(o.stdout), &got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	run(t, s.environ, nil, "silence", "list").want(t, exitFailed)
	produce(1, 10)
	run(t, s.environ, nil, "run", "--until-end", "--leave").want(t, exitOK)

	var stderr output
	p := process{
		args: []string{"run", "--leave"}, environ: s.environ, stdin: strings.NewReader(""), stdout: &stderr, stderr: &stderr,
	}
	code := make(chan int)
	go func() { code <- p.run(t.Context(), func(int) { panic("second signal") }) }()
	short := add("--match", "kind=lapse,pack=any", "--until", "2026-01-13T00:00:00Z")
	add("--match", "tenant=acme", "--for", "4h")
	inForce := func() {
		t.Helper()
		eventually(t, "they are in force", func() bool {
			for _, one := range silences() {
				if one.InForce != 1 || one.Asked != 0 {
					return false
				}
			}
			return true
		})
	}
	inForce()
	produce(10, 13)
	eventually(t, "lapses are held", func() bool { return ledger("held") == 40 })
	long := add("--all", "--until", "2026-03-01T00:00:00Z", "--why", "emergency stop")
	inForce()
	produce(13, 15) // the short one is over, and the long one holds them on
	eventually(t, "they are held on", func() bool { return ledger("held") == 80 })
	if all := silences(); len(all) != 2 || all[0].ID != long.ID || all[0].Held != 40 || ledger("released") != 0 {
		t.Errorf("%+v", all)
	}
	run(t, s.environ, nil, "release", "silence", "--yes").want(t, exitUsage)
	run(t, s.environ, nil, "silence", "end", short.ID, "--by", "kim").want(t, exitFailed)
	run(t, s.environ, nil, "silence", "end", long.ID, "--by", "kim").want(t, exitOK)
	eventually(t, "they are released", func() bool { return ledger("released") == 40 })
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := <-code; got != exitOK {
		t.Errorf("exit code %d\n%s", got, stderr.String())
	}
	for _, want := range []string{"silence begins", "silence ends before its time", "emergency stop", "kim"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, stderr.String())
		}
	}
	raised := 0
	for _, r := range publishedAlerts(t, s, "ebb.alerts", 40) {
		var a struct {
			Transition string
			HeldFor    int64 `json:"held_for"`
		}
		if err := json.Unmarshal(r.Value, &a); err != nil || a.Transition != "raised" || a.HeldFor < 86_400 {
			t.Errorf("%s: %v", r.Value, err)
		}
		raised++
	}
	if same := replayed(t, s.environ, exitOK); raised != 40 || same.Published != 40 || same.Same != 40 {
		t.Errorf("%d raised, %+v", raised, same)
	}
	text := run(t, s.environ, nil, "silence", "list").want(t, exitOK).stdout
	if !strings.Contains(text, "tenant=acme until 20") || strings.Count(text, "\n") != 1 {
		t.Error(text)
	}
}

// TestSilenceArguments: a silence has an end and an author, and says what it is about.
func TestSilenceArguments(t *testing.T) {
	for args, want := range map[string]string{
		"add --all --for 4h":                              "--by is missing",
		"add --by kim --for 4h":                           "--match, or --all",
		"add --by kim --all --match kind=lapse --for 4h":  "--match, or --all",
		"add --by kim --all":                              "--for or --until",
		"add --by kim --all --for 4h --until 2026-01-01":  "--for or --until",
		"add --by kim --all --for -4h":                    "--for is no time",
		"add --by kim --all --until tomorrow":             "--until is no time",
		"add --by kim --for 4h --match colour=red":        "found \"colour\"",
		"add --by kim --for 4h --match kind=":             "no value",
		"add --by kim --for 4h --match kind=lapse,kind=x": "twice",
		"add --by kim --for 4h --match kind=quiet":        "no kind \"quiet\"",
		"end X": "--by is missing",
		"end":   "ID is missing",
		"add --all --for 4h --by " + strings.Repeat("k", 201): "may have 200 bytes",
	} {
		o := run(t, nil, nil, append([]string{"silence"}, strings.Fields(args)...)...).want(t, exitUsage)
		if !strings.Contains(o.stderr, want) {
			t.Errorf("%s: %s", args, o.stderr)
		}
	}
}
