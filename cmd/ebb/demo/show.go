package demo

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/terminal"
	"ebb/cmd/ebb/view"
)

// shownPerSecond is how many alerts are shown: nobody can read more, so the others are only counted.
const shownPerSecond = 8

// show writes alerts as they come, with a progress bar below them on a terminal, and keeps what the summary needs.
type show struct {
	mu      sync.Mutex
	screen  terminal.Screen
	json    bool
	line    *view.AlertLine
	bar     *progressbar.ProgressBar // nil: none
	changed chan struct{}            // closed and replaced when alerts have come

	seen   uint64
	counts map[string]int64   // by transition
	raises map[string][]int64 // when alerts were raised, by customer, ms since the epoch
	second time.Time          // since when shown counts
	shown  int
	hidden int64
}

func newShow(s terminal.Screen, asJSON bool, total int64) *show {
	show := &show{
		screen: s, json: asJSON, line: &view.AlertLine{Screen: s}, changed: make(chan struct{}),
		counts: map[string]int64{}, raises: map[string][]int64{},
	}
	if s.Terminal && !asJSON {
		show.bar = s.Bar(total, "")
	}
	return show
}

// print takes what was read; see [alertlog.Reader.Read].
func (s *show) print(batch [][]byte, _ bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, value := range batch {
		var v view.Alert
		if err := json.Unmarshal(value, &v); err != nil {
			return fmt.Errorf("read alert: %w", err)
		}
		s.note(&v)
		if err := s.write(value); err != nil {
			return fmt.Errorf("write alert: %w", err)
		}
	}
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

func (s *show) note(v *view.Alert) {
	s.seen++
	s.counts[v.Transition]++
	if v.Transition == "raised" {
		s.raises[v.Customer] = append(s.raises[v.Customer], v.Time.UnixMilli())
	}
}

// raised is when alerts were raised, by customer, in order of time.
func (s *show) raised() map[string][]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, at := range s.raises {
		slices.Sort(at)
	}
	return s.raises
}

func (s *show) write(value []byte) error {
	if s.json {
		_, err := s.screen.Write(append(value, '\n'))
		return err
	}
	if s.screen.Terminal && !s.mayShow() {
		s.hidden++
		return nil
	}
	if s.bar != nil {
		_ = s.bar.Clear() // a failure to draw the bar does not matter
	}
	_, err := fmt.Fprintln(s.screen, s.line.Of(value))
	return err
}

// mayShow limits the pace to what a person can read.
func (s *show) mayShow() bool {
	if now := time.Now(); now.Sub(s.second) >= time.Second {
		s.second, s.shown = now, 0
	}
	s.shown++
	return s.shown <= shownPerSecond
}

// at shows how far the feed is: n events, the newest of event time ms.
func (s *show) at(n, ms int64) {
	if s.bar == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bar.Describe(
		fmt.Sprintf(
			"%s  %s events  %s alerts",
			time.UnixMilli(ms).UTC().Format(time.DateOnly),
			advice.Grouped(n),
			advice.Grouped(int64(s.seen)),
		),
	)
	_ = s.bar.Set64(n)
}

// await returns when n alerts have come, or when none has come for a while.
func (s *show) await(n uint64) {
	for {
		s.mu.Lock()
		seen, changed := s.seen, s.changed
		s.mu.Unlock()
		if seen >= n {
			return
		}
		select {
		case <-changed:
		case <-time.After(10 * time.Second):
			return
		}
	}
}

// finish removes the bar.
func (s *show) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bar != nil {
		_ = s.bar.Finish()
	}
}
