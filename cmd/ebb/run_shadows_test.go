package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/cmd/ebb/probes"
	"ebb/cmd/ebb/processor"
)

// published is a record without its place.
type published struct {
	Key, Value, Headers string
	Timestamp           int64
}

// startShop starts services whose input holds a shop's log, in so many partitions, with every topic that ebb needs.
func startShop(t testing.TB, log string, partitions int, shadows string) *services {
	t.Helper()
	s := startServices(t)
	s.environ = append(
		s.environ,
		"EBB_HTTP_LISTEN=",
		"EBB_LOG_FORMAT=json",
		"EBB_TIME_LATENESS=0s",
		"EBB_SHADOWS="+shadows,
	)
	run(t, s.environ, nil, "check", "--create", "--partitions", strconv.Itoa(partitions))
	run(t, s.environ, nil, "produce", log).want(t, exitOK)
	return s
}

// published reads the committed records of a topic, the oldest first.
func (s *services) published(t testing.TB, topic string) (all []published) {
	t.Helper()
	client := s.client(
		t,
		kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(),
	)
	ends, err := kadm.NewClient(client).ListEndOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	next := map[int32]int64{}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	behind := func() (yes bool) {
		ends.Each(func(o kadm.ListedOffset) { yes = yes || next[o.Partition] < o.Offset })
		return yes
	}
	for behind() {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatalf("%s: %v", topic, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			p := published{Key: string(r.Key), Value: string(r.Value), Timestamp: r.Timestamp.UnixMilli()}
			for _, h := range r.Headers {
				p.Headers += fmt.Sprintf("%s=%q\n", h.Key, h.Value)
			}
			if next[r.Partition] = r.Offset + 1; !r.Attrs.IsControl() {
				all = append(all, p)
			}
		})
	}
	slices.SortFunc(all, func(a, b published) int {
		return cmp.Or(
			cmp.Compare(a.Timestamp, b.Timestamp),
			strings.Compare(a.Value, b.Value),
			strings.Compare(a.Headers, b.Headers),
		)
	})
	return all
}

// of are the records of one group.
func of(group string, all []published) (some []published) {
	for _, p := range all {
		if source := fmt.Sprintf("ce_source=%q\n", "/ebb/"+group+"/events"); strings.Contains(p.Headers, source) {
			p.Headers = strings.ReplaceAll(p.Headers, source, "")
			some = append(some, p)
		}
	}
	return some
}

// summaryOf reads the last line of run --until-end.
func summaryOf(t testing.TB, o outcome) (sum processor.Summary) {
	t.Helper()
	if err := json.Unmarshal([]byte(o.stdout), &sum); err != nil {
		t.Fatalf("%v\n%s", err, o.stdout)
	}
	return sum
}

// TestShadowsChangeNothing: with shadows the alerts are, byte for byte, those without. A shadow of the same pack comes
// to the same alerts, and each carries its group. Unusable records are in the DLQ once.
func TestShadowsChangeNothing(t *testing.T) {
	log := shopLog(t, 60)
	poison := func(s *services) {
		for n := range int32(2) {
			s.feed(t, n, 7, func(i int) string { return fmt.Sprintf("poison %d", i) })
		}
	}
	alone := startShop(t, log, 4, "")
	poison(alone)
	want := summaryOf(t, run(t, alone.environ, nil, "run", "--until-end", "--leave").want(t, exitOK))
	beside := startShop(t, log, 4, "same=retail,other=any,x=retail")
	poison(beside)
	sum := summaryOf(t, run(t, beside.environ, nil, "run", "--until-end", "--leave").want(t, exitOK))

	alerts := beside.published(t, "ebb.alerts")
	diff := gocmp.Diff(alone.published(t, "ebb.alerts"), alerts)
	if diff != "" || len(alerts) < 20 || uint64(len(alerts)) != want.Alerts {
		t.Fatalf("%d alerts, %d without shadows: %s", len(alerts), want.Alerts, diff)
	}
	shadowed := beside.published(t, "ebb.shadow")
	main, other := of("ebb", alerts), of("ebb.shadow.other", shadowed)
	for _, name := range []string{"same", "x"} {
		if diff := gocmp.Diff(main, of("ebb.shadow."+name, shadowed)); diff != "" {
			t.Errorf("the shadow %s (-main +shadow):\n%s", name, diff)
		}
	}
	if len(other) == 0 || len(shadowed) != 2*len(main)+len(other) || gocmp.Equal(main, other) {
		t.Errorf("%d records of shadows, %d of the other pack", len(shadowed), len(other))
	}
	lines := run(
		t,
		beside.environ,
		nil,
		"alerts",
		"--topic",
		"ebb.shadow",
		"--until-end",
		"--json",
	).want(t, exitOK).
		stdout
	if strings.Count(lines, "\n") != len(shadowed) {
		t.Errorf("ebb alerts shows %d of %d", strings.Count(lines, "\n"), len(shadowed))
	}
	if n := len(beside.published(t, "events.dlq")); n != 14 {
		t.Errorf("%d records in the DLQ, want 14", n)
	}

	sum.Seconds, want.Seconds = 0, 0
	names := map[string]uint64{}
	for i := range sum.Shadows {
		one := &sum.Shadows[i]
		names[one.Name] = one.Alerts
		if one.Events != want.Events || one.Quarantined != want.Quarantined || one.Error != "" {
			t.Errorf("%+v", one)
		}
	}
	n := uint64(len(main))
	if diff := gocmp.Diff(map[string]uint64{"same": n, "x": n, "other": uint64(len(other))}, names); diff != "" {
		t.Error(diff)
	}
	if sum.Shadows = nil; !gocmp.Equal(want, sum) {
		t.Errorf("summary:\n%s", gocmp.Diff(want, sum))
	}

	again := summaryOf(t, run(t, beside.environ, nil, "run", "--until-end", "--leave").want(t, exitOK))
	if again.Alerts != 0 || again.Shadows[0].Events != 0 || again.Shadows[0].Alerts != 0 ||
		len(beside.published(t, "ebb.shadow")) != len(shadowed) {
		t.Errorf("started again: %+v", again)
	}
}

// TestBrokenShadow: whatever is wrong with a shadow, the main processor and the other shadows reach their end, and the
// log holds what to do.
func TestBrokenShadow(t *testing.T) {
	log := shopLog(t, 20)
	s := startShop(t, log, 2, "good=retail,none=./none.yaml,turned=any")
	first := summaryOf(t, run(t, s.environ, nil, "run", "--until-end", "--leave").want(t, exitOK))
	one := first.Shadows[1]
	if one.Name != "none" || one.Error != "load pack: open ./none.yaml: no such file or directory" ||
		one.Events != 0 || one.Transitions == nil || one.Types == nil {
		t.Errorf("%+v", one)
	}
	s.environ = append(s.environ, "EBB_SHADOWS=good=retail,none=./none.yaml,turned=saas")
	run(t, s.environ, nil, "produce", log).want(t, exitOK)
	o := run(t, s.environ, nil, "run", "--until-end", "--leave").want(t, exitOK)
	sum := summaryOf(t, o)
	for i, want := range []string{"", "no such file", "pack_changed"} {
		one := sum.Shadows[i]
		if !strings.Contains(one.Error, want) || (want == "") != (one.Error == "") ||
			(want == "") != (one.Events == first.Events) {
			t.Errorf("%+v", one)
		}
	}
	if sum.Events != first.Events {
		t.Errorf("the main one: %+v", sum)
	}
	for _, want := range []string{
		`"shadow":"turned","error":"pack_changed: events/`,
		`or begin the shadow anew: stop ebb, ebb packs shadow --forget turned, start ebb","time"`,
		`"shadow":"none","error":"load pack: open ./none.yaml: no such file or directory","do":"mend it and start ebb again`,
	} {
		if !strings.Contains(o.stderr, want) {
			t.Errorf("no %s in\n%s", want, o.stderr)
		}
	}
	if n := strings.Count(o.stderr, "shadow ended, the main processor goes on"); n != 2 {
		t.Errorf("%d shadows ended", n)
	}
}

// TestShadowBesideARunningProcessor: it shows in readiness and metrics, follows its file, and ends with the main one.
func TestShadowBesideARunningProcessor(t *testing.T) {
	pack, err := os.ReadFile("testdata/packs_diff_b.yaml")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "next.yaml")
	write := func(from, to string) {
		t.Helper()
		text := strings.Replace(string(pack), from, to, 1)
		if from != to && text == string(pack) {
			t.Fatalf("no %q in the pack", from)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("", "")
	s := startShop(t, shopLog(t, 20), 2, "next="+path+",none=./none.yaml")
	var stdout, stderr output
	p := process{
		args:    []string{"run"},
		environ: append(s.environ, "EBB_HTTP_LISTEN=127.0.0.1:0"),
		stdin:   strings.NewReader(""),
		stdout:  &stdout,
		stderr:  &stderr,
	}
	code := make(chan int)
	go func() { code <- p.run(t.Context(), func(int) { panic("second signal") }) }()
	listening := regexp.MustCompile(`"listen":"(127\.0\.0\.1:\d+)"`)
	eventually(t, "it serves its health", func() bool { return listening.MatchString(stderr.String()) })
	address := listening.FindStringSubmatch(stderr.String())[1]
	want := []probes.ShadowState{
		{Name: "next", State: "running"},
		{Name: "none", State: "ended", Reason: "load pack: open ./none.yaml: no such file or directory"},
	}
	eventually(t, "all is read", func() bool {
		var ready probes.Readiness
		status, body := ask(t, address, "/readyz")
		return status == http.StatusOK && json.Unmarshal([]byte(body), &ready) == nil &&
			gocmp.Equal(want, ready.Shadows)
	})
	for _, want := range []string{
		`ebb_shadow_up{shadow="next"} 1`,
		`ebb_shadow_up{shadow="none"} 0`,
		`ebb_shadow_watermark_lag_seconds{partition="1",shadow="next"} `,
		`ebb_watermark_lag_seconds{partition="1"} `,
	} {
		eventually(t, "the metrics say "+want, func() bool {
			_, metrics := ask(t, address, "/metrics")
			return strings.Contains(metrics, "\n"+want)
		})
	}
	eventually(t, "health shows it", func() bool {
		shown := run(t, []string{"EBB_HTTP_LISTEN=" + address}, nil, "health", "--ready").want(t, exitOK).stdout
		return strings.HasSuffix(
			shown,
			"shadow next: running, 0 records behind\nshadow none: ended: load pack: open ./none.yaml: no such file or "+
				"directory\n",
		)
	})

	look := func(says string) {
		t.Helper()
		if err := syscall.Kill(syscall.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		eventually(t, says, func() bool { return strings.Contains(stderr.String(), says) })
		_, metrics := ask(t, address, "/metrics")
		failed := map[bool]string{true: "1", false: "0"}[strings.Contains(says, "cannot")]
		if !strings.Contains(metrics, `ebb_shadow_pack_reload_failed{shadow="next"} `+failed) ||
			!strings.Contains(metrics, "\nebb_pack_reload_failed 0\n") {
			t.Errorf("%s: the metrics say otherwise", says)
		}
	}
	version := regexp.MustCompile(`(?m)^version: .*$`).FindString(string(pack))
	write(version, "version: broken in two")
	look("the pack's file cannot be used, the pack of before stays")
	write(version, `version: "99"`)
	look("pack loaded anew; it begins with each partition's next record")
	s.feed(t, 0, 1, func(int) string {
		return `{"id":"last","customer":"c","type":"Order Completed","time":"2026-01-01T00:00:00Z"}`
	})
	eventually(t, "it begins", func() bool {
		return slices.ContainsFunc(s.published(t, "ebb.control"), func(p published) bool {
			return p.Key == "ebb.shadow.next/events/0" && strings.Contains(p.Value, `"version":"99"`)
		})
	})
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := <-code; got != exitOK {
		t.Errorf("exit code %d\n%s", got, stderr.String())
	}
	// of the shadow that never started, and of the broken file
	if errors := strings.Count(stderr.String(), `"level":"error"`); errors != 2 {
		t.Errorf("%d errors:\n%s", errors, stderr.String())
	}
}
