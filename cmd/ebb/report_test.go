package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"ebb/cmd/ebb/uplift"
	"ebb/sinks/format"
)

// seasonLog is a log of customers who come weekly and fall silent, of whom every third orders again after a while.
func seasonLog(customers int) string {
	var log strings.Builder
	begin := time.Date(2025, 1, 1, 8, 0, 0, 0, time.UTC)
	write := func(customer int, at time.Time) {
		fmt.Fprintf(&log, `{"customer":"c%d","type":"Order Completed","time":%q,"tenant":"shop"}`+"\n", customer,
			at.Format(time.RFC3339))
	}
	for day := range 400 {
		at := begin.AddDate(0, 0, day)
		for c := range customers {
			if day < 42 && day%7 == c%7 || c%3 == 0 && day == 150+c%7 {
				write(c, at.Add(time.Duration(c)*time.Second))
			}
		}
		for clock := range 8 { // in each partition
			write(customers+clock, at.Add(time.Hour))
		}
	}
	return log.String()
}

// values are the values of a topic, sorted, without the fields of a holdout.
func values(t *testing.T, s *services, topic string, least int) (all []string) {
	t.Helper()
	for _, r := range publishedAlerts(t, s, topic, least) {
		value := string(r.Value)
		for _, field := range []string{`,"arm":`, `,"arm_epoch":`, `,"arm_share":`} {
			if i := strings.Index(value, field); i >= 0 {
				end := strings.IndexByte(value[i+1:], ',')
				value = value[:i] + value[i+1+end:]
			}
		}
		all = append(all, value)
	}
	slices.Sort(all)
	return all
}

// TestUplift: with a holdout both topics together hold the alerts of a run without one. Each customer of the one is held
// out by the audience topic, and each of the other is not. The report counts them, and a replay finds nothing else.
func TestUplift(t *testing.T) {
	log := writeLog(t, "season.ndjson", seasonLog(200))
	plain := startServices(t)
	plain.environ = append(plain.environ, "EBB_HTTP_LISTEN=", "EBB_START_HISTORY=none")
	run(t, plain.environ, nil, "check", "--create", "--partitions", "2").want(t, exitOK)
	run(t, plain.environ, nil, "produce", log).want(t, exitOK)
	run(t, plain.environ, nil, "run", "--until-end", "--leave").want(t, exitOK)
	want := values(t, plain, "ebb.alerts", 200)

	s := startServices(t)
	s.environ = append(s.environ, "EBB_HTTP_LISTEN=", "EBB_START_HISTORY=none", "EBB_HOLDOUT_ENABLED=true",
		"EBB_HOLDOUT_EPOCH=3650d")
	missing := run(t, s.environ, nil, "check").want(t, exitFailed).stdout
	for _, topic := range []string{"no topic ebb.alerts.holdout", "no topic ebb.audience"} {
		if !strings.Contains(missing, topic) {
			t.Errorf("%q is not in\n%s", topic, missing)
		}
	}
	run(t, s.environ, nil, "check", "--create", "--partitions", "2").want(t, exitOK)
	run(t, s.environ, nil, "produce", log).want(t, exitOK)
	run(t, s.environ, nil, "run", "--until-end", "--leave").want(t, exitOK)
	treated, held := values(t, s, "ebb.alerts", 100), values(t, s, "ebb.alerts.holdout", 10)
	both := slices.Concat(treated, held)
	slices.Sort(both)
	if diff := gocmp.Diff(want, both); diff != "" {
		t.Fatalf("(-without +with a holdout):\n%.2000s", diff)
	}
	arms := map[string]string{}
	for _, r := range publishedAlerts(t, s, "ebb.audience", 208) {
		var a format.Audience
		if err := json.Unmarshal(r.Value, &a); err != nil || arms[a.Customer] != "" || string(r.Key) != "shop/"+a.Customer {
			t.Errorf("%s: %s, %v", r.Key, r.Value, err)
		}
		arms[a.Customer] = a.Arm
	}
	customers := map[string]map[string]bool{"treated": {}, "holdout": {}}
	for arm, all := range map[string][]string{"treated": treated, "holdout": held} {
		for _, value := range all {
			var a struct{ Customer string }
			if err := json.Unmarshal([]byte(value), &a); err != nil || arms[a.Customer] != arm {
				t.Fatalf("%s is %s, and in the topic of %s: %v", a.Customer, arms[a.Customer], arm, err)
			}
			customers[arm][a.Customer] = true
		}
	}

	var r uplift.Report
	out := run(t, s.environ, nil, "report", "uplift", "--json").want(t, exitOK).stdout
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	a := r.Arms
	if a.Treated != int64(len(customers["treated"])) || a.HeldOut != int64(len(customers["holdout"])) || !a.OK ||
		r.Share != 0.1 || r.Misplaced != 0 || r.Within != "90d" || len(r.Comparisons) != 1 {
		t.Errorf("%s", out)
	}
	if c := r.Comparisons[0]; c.Kind != "lapse" ||
		c.Treated.Customers+c.HeldOut.Customers+c.Waiting != a.Treated+a.HeldOut ||
		c.Treated.Outcomes == 0 {
		t.Errorf("%s", out)
	}
	text := run(t, s.environ, nil, "report", "uplift", "--by", "tier", "--effect", "30").want(t, exitOK).stdout
	for _, want := range []string{"as drawn", "lapse, tier ", "treated ", "held out "} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	t.Log("\n" + text)
	again := replayed(t, s.environ, exitOK)
	if again.Same != int64(len(want)) {
		t.Errorf("%+v", again)
	}
	run(t, append(s.environ, "EBB_HOLDOUT_ENABLED=false"), nil, "replay").want(t, exitOK)
	nothing := run(t, plain.environ, nil, "report", "uplift").want(t, exitOK).stdout
	if !strings.Contains(nothing, "not enough data") {
		t.Errorf("without a holdout: %s", nothing)
	}
}

// TestUpliftArguments: what cannot be compared is refused before anything is read.
func TestUpliftArguments(t *testing.T) {
	for _, args := range [][]string{
		{"--by", "colour"},
		{"--effect", "0"},
		{"--effect", "100"},
		{"--within", "soon"},
		{"--within", "0s"},
		{"--since", "May"},
		{"--within", "1000d"},
	} {
		got := run(t, nil, nil, append([]string{"report", "uplift"}, args...)...).want(t, exitUsage)
		if !strings.Contains(got.stderr, strings.TrimLeft(args[0], "-")) {
			t.Errorf("%q: %s", args, got.stderr)
		}
	}
}
