package silences

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"strconv"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"ebb/cmd/ebb/silence"
)

// The oracle follows the definitions of ../shared/reference/bench.py: times in days, all silences of a log in a list.

// drawn is a log: the activity of each customer, and alerts at any time.
type drawn struct {
	horizon, begin, end int64
	customers           []person
}

type person struct {
	active []int64
	alerts [NumNoted][]int64
	levels [2][]int64
}

func draw(t *rapid.T) drawn {
	const start = 1_600_000_000_000
	log := drawn{horizon: rapid.Int64Range(4, 40).Draw(t, "horizon") * dayMillis, begin: start}
	grid := rapid.SampledFrom([]int64{secondMillis, 3600 * secondMillis, dayMillis}).Draw(t, "grid")
	for i := range rapid.IntRange(1, 8).Draw(t, "customers") {
		var p person
		at := start + rapid.Int64Range(0, 200*dayMillis/grid).Draw(t, "first")*grid
		if i == 0 {
			at = start
		}
		for range rapid.IntRange(1, rapid.SampledFrom([]int{5, 20, 120}).Draw(t, "most")).Draw(t, "events") {
			p.active = append(p.active, at)
			pace := rapid.SampledFrom([]int64{1, 2, 5, 20, 120}).Draw(t, "pace")
			at += rapid.Int64Range(1, max(1, pace*dayMillis/grid)).Draw(t, "gap") * grid
		}
		log.end = max(log.end, p.active[len(p.active)-1])
		log.customers = append(log.customers, p)
	}
	log.end += rapid.Int64Range(0, 100).Draw(t, "after") * dayMillis
	minutes := rapid.SliceOfN(rapid.Int64Range(start/minuteMillis, log.end/minuteMillis), 0, 12)
	for i := range log.customers {
		p := &log.customers[i]
		for _, list := range []*[]int64{&p.alerts[Raised], &p.alerts[Listed], &p.levels[0], &p.levels[1]} {
			for _, minute := range minutes.Draw(t, "alerts") {
				*list = append(*list, minute*minuteMillis)
			}
			for _, at := range p.active { // at the very time of an activity
				if at%minuteMillis == 0 && rapid.IntRange(0, 9).Draw(t, "at") == 0 {
					*list = append(*list, at)
				}
			}
			slices.Sort(*list)
			*list = slices.DeleteFunc(*list, func(at int64) bool { return at < p.active[0] })
		}
	}
	return log
}

// judged is the log through a Measure.
func (log *drawn) judged(waits []int64) *Report {
	m := New(Config{Horizon: log.horizon, End: log.end, Waits: waits, Levels: 2}, log.begin)
	for i := range log.customers {
		p, visits, c := &log.customers[i], uint32(1), Customer{}
		for k, begin := range p.active {
			end := int64(Open)
			if k+1 < len(p.active) {
				end = p.active[k+1]
			}
			// The line looks at a customer up to the very time of its next activity.
			for rule, list := range p.alerts {
				for _, at := range list {
					if at >= begin && at < min(end, log.end+1) || at == end {
						c.Note(rule, at)
					}
				}
			}
			for level, list := range p.levels {
				for _, at := range list {
					if (at >= begin && at < end || at == end) && c.Reached(level) == 0 {
						c.Reach(level, 2, at/minuteMillis)
					}
				}
			}
			m.Silence(&c, visits, begin, end)
			if end-begin >= visitGap {
				visits++
			}
		}
	}
	r := m.Report([]string{"raised", "listed", "wait", "long wait"})
	r.Tiers = []Threshold{m.Threshold(0, "0"), m.Threshold(1, "1")}
	return r
}

// silent is a row of the oracle's list. Times are in days.
type silent struct {
	start, next  float64
	typical, own float64
	class        silence.Class
}

const day = float64(dayMillis)

// oracle are the figures of one rule, by customer.
type oracle struct {
	log    *drawn
	rows   [][]silent
	lo, hi float64
	months float64
}

func newOracle(log *drawn) *oracle {
	o := &oracle{log: log}
	h, begin, end := float64(log.horizon)/day, float64(log.begin)/day, float64(log.end)/day
	var early []float64
	for i := range log.customers {
		early = append(early, o.gaps(i, 3)...)
	}
	sort.Float64s(early)
	var pseudo []float64
	for _, q := range []float64{.1, .3, .5, .7, .9} {
		if len(early) > 0 {
			pseudo = append(pseudo, early[int(float64(len(early))*q)])
		}
	}
	o.lo, o.hi = begin+min(h, (end-begin)/10), end-h
	for i := range log.customers {
		rows := o.follow(i, h, pseudo)
		o.rows = append(o.rows, rows)
		first := math.Inf(1)
		for _, r := range rows {
			first = min(first, r.start)
		}
		o.months += max(0, o.hi-max(o.lo, first)) / 30.44
	}
	return o
}

// gaps are the first n gaps of a customer.
func (o *oracle) gaps(customer, n int) (gaps []float64) {
	active := o.log.customers[customer].active
	for k := 1; k < len(active) && len(gaps) < n; k++ {
		if gap := active[k] - active[k-1]; gap >= visitGap {
			gaps = append(gaps, float64(gap)/day)
		}
	}
	return gaps
}

func (o *oracle) follow(customer int, h float64, pseudo []float64) (rows []silent) {
	active, seen := o.log.customers[customer].active, 1
	for k, a := range active {
		next := math.Inf(1)
		if k+1 < len(active) {
			if active[k+1]-a < visitGap {
				continue
			}
			next = float64(active[k+1]) / day
		}
		before := o.gaps(customer, seen-1)
		r := silent{start: float64(a) / day, next: next, own: math.Inf(1)}
		own := slices.Concat(before[max(0, len(before)-50):], pseudo)
		sort.Float64s(own)
		if len(own) > 0 {
			r.own = own[int(math.Ceil(.95*float64(len(own))))-1]
		}
		last := slices.Sorted(slices.Values(before[max(0, len(before)-20):]))
		if len(last) > 0 {
			r.typical = last[len(last)/2]
		}
		switch {
		case seen == 1:
			r.class = silence.OneTimer
		case seen >= 5 && r.typical <= h/6+1e-9:
			r.class = silence.Regular
		default:
			r.class = silence.Occasional
		}
		rows = append(rows, r)
		seen++
	}
	return rows
}

// judge judges alerts, given for each customer, or after a wait.
func (o *oracle) judge(name string, alerts func(customer int) []int64, wait int64, own bool) Rule {
	rule := Rule{Name: name}
	for _, g := range groups() {
		j := Judgement{Class: g.name}
		var lapses, ownLapses []float64
		var gaps, ownGaps []float64
		for i, rows := range o.rows {
			for _, r := range rows {
				if !g.has(r.class) {
					continue
				}
				at := math.Inf(1)
				if alerts == nil {
					at = r.start + float64(wait)/day
				} else {
					for _, ms := range alerts(i) {
						if x := float64(ms) / day; x >= r.start-1e-9 && x < r.next-1e-9 && ms <= o.log.end {
							at = min(at, x)
						}
					}
				}
				o.one(&j, r, at, &lapses, &gaps, &ownLapses, &ownGaps)
			}
		}
		j.Volume, j.Precision = Figure(1000*float64(j.Alerts)/o.months), share(j.Right, j.Alerts)
		j.Lapses = o.caught(lapses, gaps)
		if own {
			c := o.caught(ownLapses, ownGaps)
			j.Own = &c
		}
		rule.Classes = append(rule.Classes, j)
	}
	return rule
}

func (o *oracle) one(j *Judgement, r silent, at float64, lapses, gaps, ownLapses, ownGaps *[]float64) {
	const tiny = 1e-9
	h, end := float64(o.log.horizon)/day, float64(o.log.end)/day
	if at >= r.next-tiny {
		at = math.Inf(1)
	}
	if at >= o.lo-tiny && at <= o.hi+tiny {
		j.Alerts++
		if r.next > at+h+tiny {
			j.Right++
		}
	}
	if r.start < o.lo-tiny || r.start+2*h > end+tiny {
		return
	}
	delay := at - r.start
	note := func(delays, gaps *[]float64) {
		*delays = append(*delays, delay)
		late := delay
		if late > 2*h+tiny {
			late = math.Inf(1)
		}
		if r.typical == 0 {
			late = math.NaN()
		}
		*gaps = append(*gaps, late/r.typical)
	}
	if r.next-r.start > 2*h+tiny {
		note(lapses, gaps)
	}
	if r.next-r.start > r.own+h+tiny && r.start+r.own+h <= end+tiny {
		note(ownLapses, ownGaps)
	}
}

func (o *oracle) caught(delays, gaps []float64) Caught {
	h := float64(o.log.horizon) / day
	within := func(limit float64) Figure {
		n := int64(0)
		for _, d := range delays {
			if d <= limit+1e-9 {
				n++
			}
		}
		return share(n, int64(len(delays)))
	}
	c := Caught{
		Lapses: int64(len(delays)), Third: within(h / 3), Half: within(h / 2), Horizon: within(h), Two: within(2 * h),
		MedianDays: Figure(math.NaN()), MedianGaps: Figure(math.NaN()),
	}
	middle := func(all []float64) Figure {
		slices.SortFunc(all, cmp.Compare[float64])
		if len(all) == 0 || math.IsInf(all[len(all)/2], 1) {
			return Figure(math.NaN())
		}
		return Figure((all[(len(all)-1)/2] + all[len(all)/2]) / 2)
	}
	for i := range delays {
		if delays[i] > 2*h+1e-9 {
			delays[i] = math.Inf(1)
		}
	}
	c.MedianDays = middle(delays)
	if !slices.ContainsFunc(gaps, math.IsNaN) { // one-timers have no gaps
		c.MedianGaps = middle(gaps)
	}
	return c
}

// TestOracle: every figure is that of a look at all silences in a list.
func TestOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := draw(t)
		waits := []int64{3 * dayMillis, log.horizon / 2}
		got := log.judged(waits)
		o := newOracle(&log)
		want := &Report{Months: Figure(o.months)}
		for _, rows := range o.rows {
			want.Silences += int64(len(rows))
		}
		for rule, name := range []string{"raised", "listed"} {
			want.Rules = append(want.Rules, o.judge(name, func(i int) []int64 { return log.customers[i].alerts[rule] }, 0, true))
		}
		want.Rules = append(want.Rules, o.judge("wait", nil, waits[0], true), o.judge("long wait", nil, waits[1], true))
		for level := range 2 {
			r := o.judge(strconv.Itoa(level), func(i int) []int64 { return log.customers[i].levels[level] }, 0, false)
			want.Tiers = append(want.Tiers, Threshold(r))
		}
		roundLevels(got, want)
		same := gocmp.Options{
			cmpopts.IgnoreFields(Report{}, "From", "Until", "End"),
			gocmp.Comparer(func(a, b Figure) bool {
				return !a.Known() && !b.Known() || math.Abs(float64(a-b)) < 1e-6
			}),
		}
		if diff := gocmp.Diff(want, got, same); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

// TestAtTheVeryTime: an alert at the very time of an activity belongs to the silence that begins with it.
func TestAtTheVeryTime(t *testing.T) {
	const begin, end = 100 * dayMillis, 150 * dayMillis
	m := New(Config{Horizon: 30 * dayMillis, End: 300 * dayMillis, Levels: 1}, 0)
	var c Customer
	c.Note(Raised, end)
	c.Reach(0, 1, end/minuteMillis)
	m.Silence(&c, 1, begin, end)
	if !c.Alerted(Raised) || c.Reached(0) == 0 {
		t.Errorf("forgotten: %+v", c)
	}
	m.Silence(&c, 2, end, Open)
	r := m.Report([]string{"raised", "listed"})
	for _, j := range []Judgement{r.Rules[Raised].Classes[0], m.Threshold(0, "").Classes[0]} {
		if j.Alerts != 1 || j.Right != 1 || j.Lapses.Lapses != 1 || j.Lapses.MedianDays != 0 {
			t.Errorf("%+v", j)
		}
	}
}

// roundLevels leaves out what levels do not have: the median in gaps, and the days' fractions.
func roundLevels(reports ...*Report) {
	for _, r := range reports {
		for i := range r.Tiers {
			for k := range r.Tiers[i].Classes {
				r.Tiers[i].Classes[k].Lapses.MedianDays = 0
				r.Tiers[i].Classes[k].Lapses.MedianGaps = 0
			}
		}
	}
}
