package pipeline_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"ebb/pipeline"
)

var update = flag.Bool("update", false, "rewrite documents that are made from the code")

// describing is a registerer that only listens to what is registered.
type describing struct{ rows []string }

var described = regexp.MustCompile(`fqName: "([^"]+)", help: "([^"]+)", unit: "[^"]*", constLabels: \{\}, variableLabels: \{([^}]*)\}`)

func (d *describing) Register(c prometheus.Collector) error {
	kind := map[bool]string{true: "counter", false: "gauge"}
	descs := make(chan *prometheus.Desc, 10)
	c.Describe(descs)
	close(descs)
	for desc := range descs {
		m := described.FindStringSubmatch(desc.String())
		if m == nil {
			return fmt.Errorf("%s is not understood", desc)
		}
		what := kind[strings.HasSuffix(m[1], "_total")]
		if _, ok := c.(*prometheus.HistogramVec); ok {
			what = "histogram"
		}
		d.rows = append(d.rows, fmt.Sprintf("| `%s` | %s | %s | %s |", m[1], what, m[3], m[2]))
	}
	return nil
}

func (d *describing) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		if err := d.Register(c); err != nil {
			panic(err)
		}
	}
}

func (d *describing) Unregister(prometheus.Collector) bool { return false }

// TestMetricsDocument compares docs/metrics.md with the code: names, kinds and labels are a contract.
func TestMetricsDocument(t *testing.T) {
	var d describing
	pipeline.NewMetrics(&d)
	slices.Sort(d.rows)
	want := "# Metrics\n\n<!-- Written by: go test ./pipeline -run MetricsDocument -update -->\n\n" +
		"`/metrics` serves these besides the Go runtime's and the process's own. Names and labels are a contract: they are added, never\n" +
		"changed. Customers are never a label.\n\n| name | kind | labels | meaning |\n|---|---|---|---|\n" + strings.Join(d.rows, "\n") + "\n"
	const path = "../docs/metrics.md"
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is not what the code registers; if that is meant, write it with: go test ./pipeline -run MetricsDocument -update\n%s", path, diff)
	}
}
