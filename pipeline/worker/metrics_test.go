package worker_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"ebb/pipeline/worker"
	"ebb/scoring/scoringtest/golden"
	"ebb/sinks/delivery"
)

// describing is a registerer that only records what is registered.
type describing struct{ rows []string }

var described = regexp.MustCompile(
	`fqName: "([^"]+)", help: "([^"]+)", unit: "[^"]*", constLabels: \{\}, variableLabels: \{([^}]*)\}`,
)

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
	worker.NewMetrics(&d)
	worker.NewShadowUp(&d)
	slices.Sort(d.rows)
	want := "# Metrics\n\n<!-- Written by: go test ./pipeline/worker -run MetricsDocument -update -->\n\n" +
		"`/metrics` serves these besides the Go runtime's and the process's own. Names and labels are a contract: they are " +
		"added, never\n" +
		"changed. Customers are never a label.\n\n" +
		"A shadow ([packs.md](packs.md)) has all of them too, with `ebb_shadow_` in place of `ebb_` and its name in the " +
		"label `shadow`:\n" +
		"`ebb_lag_records{partition}` is `ebb_shadow_lag_records{shadow,partition}`. Only `ebb_shadow_up` is a shadow's " +
		"alone.\n\n| name | kind | labels | meaning |\n|---|---|---|---|\n" + strings.Join(d.rows, "\n") +
		"\n\n## Reasons\n\nA stage withholds a decision (`ebb_withheld_total`) for one of these reasons:\n\n" +
		"| reason | decisions |\n|---|---|\n" + strings.Join(withheldReasons(t), "\n") + "\n"
	var delivered describing
	delivery.NewMetrics(&delivered, nil)
	slices.Sort(delivered.rows)
	want += "\n## ebb deliver\n\n`/metrics` of [ebb deliver](deliver.md), on `deliver.listen`. The partitions are those of " +
		"the alert topic. Failures are\n" +
		"`timeout`, `connection`, `tls`, `status_3xx`, `status_4xx` (but 429), `status_429`, `status_5xx` or " +
		"`status_other`.\n\n| name | kind | labels | meaning |\n|---|---|---|---|\n" +
		strings.Join(
			delivered.rows,
			"\n",
		) + "\n"
	const path = "../../docs/metrics.md"
	golden.Path(t, path, want)
}

// withheldReasons are the rows of the reasons for which stages withhold decisions, by the constants in their files.
func withheldReasons(t *testing.T) (rows []string) {
	t.Helper()
	files, err := filepath.Glob("../line/stage_*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GenDecl:
				for _, spec := range n.Specs {
					if c, ok := spec.(*ast.ValueSpec); ok && n.Tok == token.CONST {
						rows = append(rows, reasonOf(t, file, c, cmp.Or(c.Doc, n.Doc))...)
					}
				}
			case *ast.ReturnStmt:
				for _, v := range n.Results {
					if text, ok := v.(*ast.BasicLit); ok && text.Kind == token.STRING && text.Value != `""` {
						t.Errorf("%s returns %s: a reason is a constant", file, text.Value)
					}
				}
			}
			return true
		})
	}
	slices.Sort(rows)
	return rows
}

// reasonOf is the row of a constant: its value, and what its comment says of it. None: it is no text.
func reasonOf(t *testing.T, file string, c *ast.ValueSpec, comment *ast.CommentGroup) []string {
	t.Helper()
	text, ok := c.Values[0].(*ast.BasicLit)
	if !ok || text.Kind != token.STRING {
		return nil
	}
	begins := c.Names[0].Name + " is the reason of "
	of, says := strings.CutPrefix(strings.Join(strings.Fields(comment.Text()), " "), begins)
	if !says {
		t.Errorf("%s: the comment of %s, which metrics show, has to begin with: %s", file, text.Value, begins)
	}
	return []string{fmt.Sprintf("| `%s` | %s |", strings.Trim(text.Value, `"`), strings.TrimSuffix(of, "."))}
}

// TestShadowMetrics: shadows share the main processor's registry. Every name is the main processor's with a prefix and
// a label of the shadow, and what one counts is counted nowhere else.
func TestShadowMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	all := map[string]*worker.Metrics{"": worker.NewMetrics(registry)}
	for _, name := range []string{"a", "b"} {
		all[name] = worker.NewShadowMetrics(registry, name)
	}
	for _, m := range all {
		m.PackReload(true)
	}
	all["b"].Drawn(true)
	all["b"].PackReload(false)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += "{" + l.GetName() + "=" + l.GetValue() + "}"
			}
			got[name] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	want := map[string]float64{}
	for _, shadow := range []string{"", "a", "b"} {
		n, prefix, label := 0.0, "ebb_", ""
		if shadow == "b" {
			n = 1
		}
		if shadow != "" {
			prefix, label = "ebb_shadow_", "{shadow="+shadow+"}"
		}
		for _, name := range []string{"customers_drawn_total", "customers_stray_total", "pack_reload_failed"} {
			want[prefix+name+label] = n
		}
		for _, name := range []string{
			"customers_removed_total", "customers_erased_total", "suppressed_total", "initial_gone_total", "decided_total",
		} {
			want[prefix+name+label] = 0
		}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
