//go:build reference

package main

import (
	"encoding/json"
	"errors"
	"math"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ebb/cmd/ebb/backtest/silences"
	"ebb/scoring/model"
)

// benchScript prints what bench.py measures of the alerts in a file, and of two fixed rules, as JSON.
const benchScript = `
import csv, json, math, sys
sys.path.insert(0, sys.argv[1])
import bench
log = bench.Log(sys.argv[2], sys.argv[3])
with open(sys.argv[4], newline="") as f:
    rows = [(r["customer_id"], float(r["unix_seconds"])) for r in csv.DictReader(f) if r["transition"] == "raised"]
at, lost = log.alerts(rows)
plain = lambda x: {k: plain(v) for k, v in x.items()} if isinstance(x, dict) else float(x) if math.isfinite(x) else None
print(json.dumps({
    "silences": len(log.start), "months": log.months, "end": log.end * bench.DAY,
    "ebb": plain(log.measure(at)),
    "silent_30d": plain(log.measure(log.start + 30)),
    "silent_third": plain(log.measure(log.start + log.H / 3)),
}))
`

// benchFigures is what it prints.
type benchFigures struct {
	Silences    int64
	Months, End float64
	Ebb         map[string]benchClass
	Silent30    map[string]benchClass `json:"silent_30d"`
	Third       map[string]benchClass `json:"silent_third"`
}

type benchClass struct {
	Alerts, Volume float64
	Precision      *float64
	Two            benchCaught `json:"2H"`
	Own            benchCaught `json:"own95"`
}

type benchCaught struct {
	Lapses  float64
	Third   float64  `json:"H/3"`
	Half    float64  `json:"H/2"`
	Horizon float64  `json:"H"`
	TwoH    float64  `json:"2H"`
	Delay   *float64 // nil: more than two horizons, or no lapse
	Gaps    *float64 `json:"own gaps"`
}

// benchOf runs bench.py on alerts.
func benchOf(t *testing.T, set, alerts string) (found benchFigures) {
	t.Helper()
	shared := sharedFolder(t)
	cmd := exec.CommandContext(t.Context(), "python3", "-c", benchScript,
		filepath.Join(shared, "reference"), filepath.Join(shared, "data"), set, alerts)
	out, err := cmd.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		t.Fatalf("bench.py needs numpy, which .ci/run reference installs: %v\n%s", err, failed.Stderr)
	}
	if err == nil {
		err = json.Unmarshal(out, &found)
	}
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// benchLog is a log with its settings in bench.py, and what the specification's alerts, of core version 3, give there:
// precision, and the lapses caught by a horizon of all customers and of regulars.
type benchLog struct {
	name, flags string
	want        [3]float64
}

var benchLogs = []benchLog{
	{"cdnow", "--activity purchase", [3]float64{.7468, .9333, .7735}},
	{"online_retail", "--activity purchase", [3]float64{.5035, .9823, 1}},
	{
		"bitcoin_otc",
		"--activity rating_given --friction negative_received --horizon 180d",
		[3]float64{.7750, .9830, .9382},
	},
	{"mathoverflow", "--activity answer,comment_question,comment_answer", [3]float64{.6856, .9275, .8639}},
	{"email_eu", "--activity sent --horizon 30d --until 2004-10-30", [3]float64{.3871, .6250, .3774}},
}

const benchSlack = 0.005 // of every figure, below what is printed with two or three decimals

// TestAlertBenchmark: on five public logs each figure about alerts is that of bench.py on the alerts that --alerts
// writes, and the alerts are as good as those of the executable specification.
func TestAlertBenchmark(t *testing.T) {
	var doc benchDocument
	for _, l := range benchLogs {
		t.Run(l.name, func(t *testing.T) {
			alerts := filepath.Join(t.TempDir(), "alerts.csv")
			args := append(
				[]string{"backtest", filepath.Join(sharedFolder(t), "data", l.name+".csv.gz"), "--pack", "any", "--json"},
				strings.Fields(l.flags)...)
			args = append(args, "--alerts", alerts)
			unguarded := []string{"EBB_SOURCES_GUARD=off"} // the benchmark knows of no sources
			report := backtestReport(t, run(t, unguarded, nil, args...).want(t, exitOK).stdout)
			got := report.Alerts
			doc.add(&l, report)
			want := benchOf(t, l.name, alerts)
			if got.Silences != want.Silences || math.Abs(float64(got.Months)-want.Months) > 1e-3 ||
				math.Abs(float64(got.End.UnixMilli())/1000-want.End) > 1e-3 {
				t.Errorf("%d silences, %v customer-months to %v, want %d, %v to %v",
					got.Silences, got.Months, got.End, want.Silences, want.Months, want.End)
			}
			for _, r := range got.Rules {
				if classes, ok := map[string]map[string]benchClass{
					"ebb": want.Ebb, "silent_30d": want.Silent30, "silent_third": want.Third,
				}[r.Name]; ok {
					compareBench(t, &r, classes)
				}
			}
			all, regular := &got.Rules[0].Classes[0], &got.Rules[0].Classes[3]
			t.Logf("%d alerts, %.1f a month per 1,000 customers, right %.3f; caught by H %.3f, of regulars %.3f", all.Alerts,
				float64(all.Volume), float64(all.Precision), float64(all.Lapses.Horizon), float64(regular.Lapses.Horizon))
			figures := [3]float64{float64(all.Precision), float64(all.Lapses.Horizon), float64(regular.Lapses.Horizon)}
			for i, wanted := range l.want {
				if model.Version >= 3 && math.Abs(figures[i]-wanted) > benchSlack {
					t.Errorf("figure %d is %.4f, the specification's is %.4f", i, figures[i], wanted)
				}
			}
		})
	}
	doc.compare(t)
}

func compareBench(t *testing.T, r *silences.Rule, want map[string]benchClass) {
	t.Helper()
	for i := range r.Classes {
		j := &r.Classes[i]
		w, ok := want[j.Class]
		if !ok {
			t.Errorf("bench.py has no class %s", j.Class)
		}
		count := func(what string, got int64, want float64) {
			if float64(got) != want {
				t.Errorf("%s, %s: %d %s, want %v", r.Name, j.Class, got, what, want)
			}
		}
		figure := func(what string, got silences.Figure, want *float64, within float64) {
			if got.Known() != (want != nil) || want != nil && math.Abs(float64(got)-*want) > within {
				t.Errorf("%s, %s: %s is %v, want %v", r.Name, j.Class, what, got, printed(want))
			}
		}
		count("alerts", j.Alerts, w.Alerts)
		figure("precision", j.Precision, w.Precision, 1e-6)
		figure("volume", j.Volume, &w.Volume, 1e-3)
		for _, d := range []struct {
			name string
			got  *silences.Caught
			want *benchCaught
		}{{"2H", &j.Lapses, &w.Two}, {"own95", j.Own, &w.Own}} {
			count("lapses by "+d.name, d.got.Lapses, d.want.Lapses)
			if d.got.Lapses == 0 {
				continue
			}
			figure(d.name+" by H/3", d.got.Third, &d.want.Third, 1e-6)
			figure(d.name+" by H/2", d.got.Half, &d.want.Half, 1e-6)
			figure(d.name+" by H", d.got.Horizon, &d.want.Horizon, 1e-6)
			figure(d.name+" by 2H", d.got.Two, &d.want.TwoH, 1e-6)
			figure(d.name+" median delay", d.got.MedianDays, d.want.Delay, benchSlack)
			figure(d.name+" own gaps", d.got.MedianGaps, d.want.Gaps, benchSlack)
		}
	}
}

func printed(f *float64) float64 {
	if f == nil {
		return math.NaN()
	}
	return *f
}
