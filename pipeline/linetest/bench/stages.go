package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/google/pprof/profile"
)

// stage is the CPU of one part of the line.
type stage struct {
	Name  string  `json:"name"`
	CPU   float64 `json:"cpu_ns_per_event"`
	Share float64 `json:"share"`
}

// rules assign functions to stages. The first rule that fits a function decides.
var rules = [...]struct{ prefix, stage string }{
	{"runtime.gcBgMarkWorker", "gc"},
	{"runtime.gcAssistAlloc", "gc"},
	{"runtime.bgsweep", "gc"},
	{"runtime.bgscavenge", "gc"},
	{"ebb/pipeline/kafkawire.(*Fetcher).", "fetch"},
	{"ebb/pipeline/kafkawire.(*answerReader).", "fetch"},
	{"ebb/pipeline/kafkabatch.(*Reader).", "fetch"},
	{"ebb/pipeline/worker.(*prefetcher).run", "fetch"},
	{"ebb/pipeline/line.(*Batch).Decode", "decode"},
	{"ebb/scoring.(*Scorer).Wake", "fold, deadlines"},
	{"ebb/scoring.(*Scorer).rearm", "fold, deadlines"},
	{"ebb/pipeline/line.(*Line).complete", "stage"},
	{"ebb/pipeline/line.(*Line).", "fold"},
	{"ebb/pipeline/redisstore.(*Partition).Load", "load"},
	{"ebb/pipeline/redisstore.(*Partition).", "commit"},
	{"ebb/pipeline/worker.(*owner).publication", "publish"},
	{"ebb/pipeline/kafkawire.(*Producer).", "publish"},
	{"ebb/pipeline/kafkawire.(*Client).deliver", "publish"},
	{"ebb/sinks.", "publish"},
	{"ebb/sinks/format.", "publish"},
}

// roundTrip is where a connection reads and writes.
const roundTrip = "ebb/pipeline/kafkawire.(*exchange).roundTrip"

// stageOf attributes a stack, the innermost function first.
func stageOf(stack []string) string {
	writes, foreign := false, false
	for _, f := range stack {
		for _, r := range rules {
			if strings.HasPrefix(f, r.prefix) {
				return r.stage
			}
		}
		// A connection has its own goroutine, which belongs to no stage. Nearly all that it reads is fetched, and nearly all
		// that it writes is published.
		if strings.HasPrefix(f, roundTrip) {
			if writes {
				return "publish"
			}
			return "fetch"
		}
		writes = writes || strings.HasSuffix(f, ").Write")
		foreign = foreign || !strings.HasPrefix(f, "runtime.")
	}
	if foreign {
		return "other"
	}
	return "scheduler"
}

// stages divides the CPU of all runs by stage, the largest first.
func stages(runs []run) ([]stage, error) {
	samples, all, events, cpu := map[string]int64{}, int64(0), 0.0, 0.0
	for i := range runs {
		p, err := readProfile(runs[i].profile)
		if err != nil {
			return nil, fmt.Errorf("read CPU profile: %w", err)
		}
		for _, s := range p.Sample {
			n := s.Value[len(s.Value)-1] // nanoseconds
			samples[stageOf(functions(s))] += n
			all += n
		}
		events += float64(runs[i].Events)
		cpu += runs[i].CPU * float64(runs[i].Events)
	}
	out := make([]stage, 0, len(samples))
	for name, n := range samples {
		share := float64(n) / float64(all)
		out = append(out, stage{Name: name, Share: share, CPU: share * cpu / events})
	}
	slices.SortFunc(out, func(a, b stage) int { return cmp.Or(cmp.Compare(b.CPU, a.CPU), cmp.Compare(a.Name, b.Name)) })
	return out, nil
}

func readProfile(file string) (p *profile.Profile, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	return profile.Parse(f)
}

// writeProfile writes the CPU profiles of all runs as one.
func writeProfile(file string, runs []run) (err error) {
	var all []*profile.Profile
	for i := range runs {
		p, err := readProfile(runs[i].profile)
		if err != nil {
			return err
		}
		all = append(all, p)
	}
	merged, err := profile.Merge(all)
	if err != nil {
		return err
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(merged.Write(f), f.Close())
}

// functions lists a sample's stack, the innermost first, inlined ones included.
func functions(s *profile.Sample) (names []string) {
	for _, l := range s.Location {
		for _, line := range l.Line {
			if line.Function != nil {
				names = append(names, line.Function.Name)
			}
		}
	}
	return names
}
