package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// stormLog has customers who come daily at one time, and none of whom comes any more, and others who go on.
func stormLog(customers, days int) string {
	var log strings.Builder
	event := func(customer string, day, hour int) {
		fmt.Fprintf(&log, `{"customer":%q,"type":"visit","time":"2026-01-%02dT%02d:30:00Z"}`+"\n", customer, day, hour)
	}
	for day := 1; day < days; day++ {
		for i := range customers {
			if day < 10 {
				event(fmt.Sprint("c", i), day, 9)
			}
		}
		for hour := 10; hour < 24; hour++ {
			for _, name := range []string{"one", "two", "three"} {
				event(name, day, hour)
			}
		}
	}
	return log.String()
}

// TestStorm: of customers who all fall due in one hour fifty are raised at once; the others are held, and raised once they
// are reviewed, the most important first. A replay decides all of it again. Without the breaker all are raised at once.
func TestStorm(t *testing.T) {
	for breaker, late := range map[string]int{"on": 250, "off": 0} {
		t.Run(breaker, func(t *testing.T) {
			s := startServices(t)
			s.environ = append(s.environ, "EBB_HTTP_LISTEN=", "EBB_PACK=any", "EBB_STORM_BREAKER="+breaker)
			run(t, s.environ, nil, "check", "--create", "--partitions", "1").want(t, exitOK)
			run(t, s.environ, nil, "produce", writeLog(t, "storm.ndjson", stormLog(300, 20))).want(t, exitOK)
			o := run(t, s.environ, nil, "run", "--until-end", "--leave").want(t, exitOK)
			sum := summaryOf(t, o)
			if sum.Transitions["raised"] != 300 || sum.Held != 0 || strings.Contains(o.stderr, "storm opened") != (late > 0) {
				t.Errorf("%+v\n%s", sum, o.stderr)
			}
			held, before := 0, 1001
			for _, r := range publishedAlerts(t, s, "ebb.alerts", int(sum.Alerts)) {
				var a struct {
					Transition string
					HeldFor    int64 `json:"held_for"`
					Priority   int
				}
				if err := json.Unmarshal(r.Value, &a); err != nil {
					t.Fatal(err)
				}
				if a.HeldFor == 0 {
					continue
				}
				if held++; a.Transition != "raised" || a.HeldFor < 3600 || a.Priority > before {
					t.Errorf("%s after one of priority %d", r.Value, before)
				}
				before = a.Priority
			}
			if held != late {
				t.Errorf("%d raises were held, want %d", held, late)
			}
			if same := replayed(t, s.environ, exitOK); same.Published != same.Same || len(same.Differences) > 0 ||
				uint64(same.Published) != sum.Alerts {
				t.Errorf("%+v", same)
			}
		})
	}
}

// TestRelease: a person has what a storm holds raised before its review. It is asked for once, and done once.
func TestRelease(t *testing.T) {
	s := startServices(t)
	s.environ = append(s.environ, "EBB_HTTP_LISTEN=", "EBB_LOG_FORMAT=json", "EBB_PACK=any", "EBB_STORM_BREAKER=on",
		"EBB_STORM_REVIEW=7d")
	run(t, s.environ, nil, "check", "--create", "--partitions", "1").want(t, exitOK)
	run(t, s.environ, nil, "produce", writeLog(t, "storm.ndjson", stormLog(300, 16))).want(t, exitOK)
	sum := summaryOf(t, run(t, s.environ, nil, "run", "--until-end", "--leave").want(t, exitOK))
	if sum.Transitions["raised"] != 50 || sum.Held != 250 {
		t.Fatalf("%+v", sum)
	}
	asked := func(args ...string) (answer struct {
		Asked      int
		Partitions []struct{ Held map[string]int }
	},
	) {
		t.Helper()
		o := run(t, s.environ, nil, append([]string{"release", "--json"}, args...)...).want(t, exitOK)
		if err := json.Unmarshal([]byte(o.stdout), &answer); err != nil {
			t.Fatal(err)
		}
		return answer
	}
	run(t, s.environ, nil, "release", "storm", "--json").want(t, exitUsage)
	run(t, s.environ, nil, "release", "drought").want(t, exitUsage)
	if a := asked("history", "--yes"); a.Asked != 0 || a.Partitions[0].Held["storm"] != 250 {
		t.Errorf("%+v", a)
	}
	if a := asked("storm", "--yes", "--by", "ann", "--why", "they have left"); a.Asked != 250 {
		t.Errorf("%+v", a)
	}
	var stderr output
	p := process{
		args: []string{"run", "--leave"}, environ: s.environ, stdin: strings.NewReader(""), stdout: &stderr, stderr: &stderr,
	}
	code := make(chan int)
	go func() { code <- p.run(t.Context(), func(int) { panic("second signal") }) }()
	eventually(t, "it is done", func() bool { return asked("history", "--yes").Partitions[0].Held["storm"] == 0 })
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := <-code; got != exitOK {
		t.Errorf("exit code %d\n%s", got, stderr.String())
	}
	if left := s.redis.DB(0).Exists("ebb:{ebb:p0}:asked"); left {
		t.Error("what was asked is still there")
	}
	for _, want := range []string{"ann", "they have left", "storm reviewed"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, stderr.String())
		}
	}
	if same := replayed(t, s.environ, exitOK); same.Published != same.Same || len(same.Differences) > 0 ||
		uint64(same.Published) != sum.Alerts+250 {
		t.Errorf("%+v, want %d", same, sum.Alerts+250)
	}
}
