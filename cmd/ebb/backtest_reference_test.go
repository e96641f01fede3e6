//go:build reference

package main

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"ebb/cmd/ebb/advice"
)

// publicLog is a public log with the settings at which the reference was measured, and its AUC at each date. The main
// date is first; the reference's README holds the rank sum's and core version 3's for it.
type publicLog struct {
	name, flags string
	dates       []string
	core        []float64
	rfm         float64
}

var publicLogs = []publicLog{
	{
		"cdnow", "--activity purchase",
		[]string{"1998-04-01", "1997-10-01", "1998-01-01"},
		[]float64{.7289, .6997, .7007},
		.718,
	},
	{
		"online_retail", "--activity purchase",
		[]string{"2011-09-01", "2011-07-15"},
		[]float64{.7376, .7523},
		.743,
	},
	{
		"bitcoin_otc", "--pack any --activity rating_given --friction negative_received --horizon 180d --active 365d",
		[]string{"2013-07-01", "2012-07-01", "2014-01-01"},
		[]float64{.8264, .8676, .8694},
		.783,
	},
	{
		"mathoverflow", "--pack any --activity answer,comment_question,comment_answer",
		[]string{"2015-06-01", "2012-06-01", "2014-01-01"},
		[]float64{.8489, .8566, .8581},
		.837,
	},
	{
		"email_eu", "--pack any --activity sent --horizon 30d",
		[]string{"2004-05-15", "2005-01-15", "2004-11-15"},
		[]float64{.8962, .9373, .8721},
		.899,
	},
}

// Limits that the core's quality has to reach.
const (
	aucSlack  = 0.005 // below the reference's AUC
	rfmSlack  = 0.006 // at the main date below RFM's, which is ahead on online_retail alone
	meanAUC   = 0.806 // at the main dates
	mostError = 0.10  // of the self-calibrated probability, at the main date and on the mean of all
)

// sharedFolder is EBB_TEST_SHARED, or the folder beside the repository.
func sharedFolder(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("EBB_TEST_SHARED"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "..", "shared")
}

// TestQuality: on five public logs the score, without any pack's factors, separates the customers who churn as well as the
// reference does, and no worse than RFM. Its probabilities are right within a tenth.
func TestQuality(t *testing.T) {
	table := referenceTable(t)
	sum := 0.0
	for _, l := range publicLogs {
		t.Run(l.name, func(t *testing.T) {
			if got := table[l.name]; got != [2]float64{l.core[0], l.rfm} {
				t.Fatalf("the reference's table has %v, this test %v and %v", got, l.core[0], l.rfm)
			}
			args := append(strings.Fields(l.flags), "--pack", "any", "--json", "--at", strings.Join(l.dates, ","),
				"--events", filepath.Join(sharedFolder(t), "data", l.name+".csv.gz"))
			r := backtestReport(t, run(t, nil, nil, append([]string{"backtest"}, args...)...).want(t, exitOK).stdout)
			if len(r.Dates) != len(l.dates) {
				t.Fatalf("%d dates measured, want %d", len(r.Dates), len(l.dates))
			}
			for i, date := range l.dates {
				for _, d := range r.Dates {
					if advice.FormatDate(d.At) != date {
						continue
					}
					ebb, rfm, off := float64(d.Scores[0].AUC), float64(d.Scores[2].AUC), float64(d.Probabilities.SelfCalibrated.Error)
					t.Logf(
						"%s: AUC %.4f, RFM %.4f, error %.3f cold, %.3f self-calibrated",
						date,
						ebb,
						rfm,
						float64(d.Probabilities.Cold.Error),
						off,
					)
					if ebb < l.core[i]-aucSlack {
						t.Errorf("%s: AUC %.4f, the reference has %.3f", date, ebb, l.core[i])
					}
					if i == 0 {
						sum += ebb
						if ebb < l.rfm-rfmSlack {
							t.Errorf("%s: AUC %.4f, RFM has %.3f", date, ebb, l.rfm)
						}
						if off > mostError {
							t.Errorf("%s: calibration error %.3f", date, off)
						}
						if rfm < l.rfm-0.001 || rfm > l.rfm+0.001 {
							t.Errorf("%s: RFM has AUC %.4f, in the reference %.3f: not the same rule", date, rfm, l.rfm)
						}
					}
				}
			}
			if off := float64(r.Mean.Probabilities.SelfCalibrated.Error); off > mostError {
				t.Errorf("mean calibration error %.3f", off)
			}
		})
	}
	mean := sum / float64(len(publicLogs))
	t.Logf("mean AUC at the main dates %.4f", mean)
	if mean < meanAUC {
		t.Errorf("mean AUC %.4f, want %v", mean, meanAUC)
	}
}

// referenceTable reads the AUC of the core and of the rank sum from the reference.
func referenceTable(t *testing.T) map[string][2]float64 {
	t.Helper()
	f, err := os.Open(filepath.Join(sharedFolder(t), "reference", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	row := regexp.MustCompile(`^\| (\w+) \| \d{4}-\d\d-\d\d \| \.\d+ \| (\.\d+) \|`)
	core := regexp.MustCompile(`^Expected AUC of version 3 at the main dates: ([.\d, ]+) \(([\w, ]+)\)`)
	number := func(text string) float64 {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	table := map[string][2]float64{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if m := row.FindStringSubmatch(lines.Text()); m != nil {
			table[m[1]] = [2]float64{0, number(m[2])}
		}
		if m := core.FindStringSubmatch(lines.Text()); m != nil {
			values := strings.Split(m[1], ", ")
			for i, name := range strings.Split(m[2], ", ") {
				table[name] = [2]float64{number(values[i]), table[name][1]}
			}
		}
	}
	return table
}
