package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ebb/pipeline"
	"ebb/pipeline/decode"
)

func TestStageOf(t *testing.T) {
	for _, c := range []struct {
		name  string
		stack []string
		want  string
	}{
		{
			"innermost wins",
			[]string{"runtime.memmove", "ebb/pipeline/line.(*Line).complete", "ebb/pipeline/line.(*Line).Fold"},
			"stage",
		},
		{
			"collector's help",
			[]string{"runtime.gcAssistAlloc1", "runtime.mallocgc", "ebb/pipeline/line.(*Line).event"},
			"gc",
		},
		{
			"decoded ahead",
			[]string{"ebb/pipeline/line.(*Batch).Decode", "ebb/pipeline/worker.(*prefetcher).run"},
			"decode",
		},
		{"a connection reads", []string{"syscall.Read", "net.(*conn).Read", "io.ReadFull", roundTrip}, "fetch"},
		{"a connection writes", []string{"syscall.Write", "net.(*conn).Write", roundTrip}, "publish"},
		{"no work of ebb", []string{"runtime.futex", "runtime.schedule"}, "scheduler"},
		{"other work", []string{"runtime.mallocgc", "ebb/pipeline/worker.(*owner).wait"}, "other"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, name := range c.stack {
				inSource(t, name)
			}
			if got := stageOf(c.stack); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestRules: each rule names functions that the source has, so that no CPU of a function that moved counts as other.
func TestRules(t *testing.T) {
	inSource(t, roundTrip)
	for _, r := range rules {
		inSource(t, r.prefix)
	}
}

// inSource fails where a prefix of names of functions, such as a profile has, fits none of this module's source.
// Others' functions pass.
func inSource(t *testing.T, prefix string) {
	t.Helper()
	dir, name, ours := strings.Cut(prefix[strings.LastIndex(prefix, "/")+1:], ".")
	path := filepath.Join("..", "..", "..", strings.TrimPrefix(prefix[:strings.LastIndex(prefix, "/")+1], "ebb/"), dir)
	if !strings.HasPrefix(prefix, "ebb/") || !ours {
		return
	}
	files, err := filepath.Glob(filepath.Join(path, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(profileName(f), name) {
				return
			}
		}
	}
	t.Errorf("%s: no function in %s begins like that", prefix, path)
}

// profileName is the name of a function in profiles, without its package.
func profileName(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	switch r := f.Recv.List[0].Type.(type) {
	case *ast.StarExpr:
		if of, ok := r.X.(*ast.Ident); ok {
			return "(*" + of.Name + ")." + f.Name.Name
		}
	case *ast.Ident:
		return r.Name + "." + f.Name.Name
	}
	return ""
}

// The live events are usable, and an alert that names one as its cause leads back to it.
func TestStretchRecord(t *testing.T) {
	s := &stretch{
		every:   20,
		open:    []string{"c-00000007"},
		calm:    []string{"c-00000001"},
		start:   1_767_225_600_000,
		spacing: 7776,
	}
	r := rand.New(rand.NewPCG(1, 2))
	d := decode.New(1 << 10)
	for _, n := range []int{0, 1, 20, 199, 12_345_678} {
		record := s.record(n, r)
		var e pipeline.Event
		d.Decode(&pipeline.Record{Key: record.Key, Value: record.Value}, &e)
		if e.Code != pipeline.Usable || e.Time != record.Timestamp.UnixMilli() {
			t.Errorf("event %d: code %v, time %d of %s", n, e.Code, e.Time, record.Value)
		}
		alert, err := json.Marshal(map[string]any{"cause": map[string]any{"id": string(e.ID)}, "pack": "any"})
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := causedBy(alert); !ok || got != n {
			t.Errorf("event %d: the alert leads to %d, %t", n, got, ok)
		}
		if want := map[bool]string{true: "c-00000007", false: "c-00000001"}[n == 0]; string(record.Key) != want {
			t.Errorf("event %d is of %s, not %s", n, record.Key, want)
		}
	}
}

// A stretch with roll has an event of every customer.
func TestStretchRoll(t *testing.T) {
	s := &stretch{every: 20, calm: []string{"a", "b", "c"}, roll: true}
	r := rand.New(rand.NewPCG(1, 2))
	for n, want := range s.calm {
		if got := string(s.record(n, r).Key); got != want {
			t.Errorf("event %d is of %s, not %s", n, got, want)
		}
	}
}

func TestSpread(t *testing.T) {
	r := report{Runs: []run{{CPU: 3}, {CPU: 1}, {CPU: 2}, {CPU: 10}}}
	want := spread{Each: []float64{3, 1, 2, 10}, Min: 1, Median: 2.5, Max: 10}
	if diff := cmp.Diff(want, r.of(func(r *run) float64 { return r.CPU })); diff != "" {
		t.Error(diff)
	}
}
