package pipeline_test

import (
	"cmp"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/pipeline"
)

// TestBudgetsText: budgets read back as they were written, and what is none is refused.
func TestBudgetsText(t *testing.T) {
	all := pipeline.Budgets{{Lane: "crm", Daily: []int{50, 100, 250}}, {Lane: "offer", Daily: []int{0}}}
	if text := all.Text(); text != `{"crm":[50,100,250],"offer":[0]}` {
		t.Errorf("%s", text)
	}
	if back, err := pipeline.ReadBudgets(all.Text()); err != nil || !reflect.DeepEqual(back, all) {
		t.Errorf("%+v, %v", back, err)
	}
	if back, err := pipeline.ReadBudgets(""); err != nil || back != nil || back.Text() != "" {
		t.Errorf("no budgets: %+v, %v", back, err)
	}
	for name, text := range map[string]string{
		"no JSON": "crm", "a list": "[]", "none": "{}", "in another order": `{"b":[1],"a":[1]}`, "with spaces": `{"a": [1]}`,
		"no number": `{"a":[]}`, "below none": `{"a":[-1]}`, "too many": `{"a":[1000001]}`, "not whole": `{"a":[1.5]}`,
		"no name": `{"":[1]}`, "a long name": `{"` + strings.Repeat("a", 65) + `":[1]}`,
	} {
		if got, err := pipeline.ReadBudgets(text); err == nil {
			t.Errorf("%s reads as %+v", name, got)
		}
	}
}

// TestBudgetWarmsUp: each day with a grant is a step, days without are none, and after 30 of them the budget begins anew.
func TestBudgetWarmsUp(t *testing.T) {
	b := &pipeline.Budget{Lane: "crm", Daily: []int{2, 5, 9}}
	var g pipeline.Grant
	var got []int
	plenty := []pipeline.LaneReport{{Waiting: map[int]int{500: 1000}}}
	for _, day := range []int64{100, 101, 102, 103, 104, 134, 135, 166, 167} {
		sum := 0
		for hour := range int64(24) {
			next, more := g.Next(b, day*24+hour, plenty)
			if !more {
				continue
			}
			g = next
			sum = int(g.Given[0])
		}
		got = append(got, sum)
	}
	// 134 follows 29 idle days, 166 follows 30
	if want := []int{2, 5, 9, 9, 9, 9, 9, 2, 5}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestGrantOfAnHour: who gets what an hour has left.
func TestGrantOfAnHour(t *testing.T) {
	const noon = 1000*24 + 11 // 12 of 24 hours have begun
	report := func(day int64, spent uint32, waiting ...int) pipeline.LaneReport {
		r := pipeline.LaneReport{Day: day, Spent: spent, Waiting: map[int]int{}}
		for _, priority := range waiting {
			r.Waiting[priority]++
		}
		return r
	}
	today := func(given ...uint32) pipeline.Grant { return pipeline.Grant{Day: 1000, Hour: noon - 1, Given: given} }
	for name, c := range map[string]struct {
		daily   int
		before  pipeline.Grant
		reports []pipeline.LaneReport
		want    []uint32 // nil: nothing is granted
	}{
		"nothing waits":                        {24, today(0, 0), []pipeline.LaneReport{{}, {}}, nil},
		"all may go":                           {24, today(0, 0), []pipeline.LaneReport{report(0, 0, 1), report(0, 0, 2, 2)}, []uint32{1, 2}},
		"the most important go":                {4, today(0, 0), []pipeline.LaneReport{report(0, 0, 9, 7), report(0, 0, 8, 1)}, []uint32{1, 1}},
		"one has all of them":                  {4, today(0, 0), []pipeline.LaneReport{report(0, 0, 9, 8), report(0, 0, 7)}, []uint32{2, 0}},
		"of equal ones the first":              {4, today(0, 0), []pipeline.LaneReport{report(0, 0, 9, 9), report(0, 0, 9)}, []uint32{2, 0}},
		"the budget is spent":                  {4, today(1, 1), []pipeline.LaneReport{report(1000, 1, 9), report(1000, 1, 9)}, nil},
		"what is granted and not spent serves": {4, today(1, 0), []pipeline.LaneReport{report(999, 7, 9), report(0, 0, 3)}, []uint32{1, 1}},
		"a report that is late counts for all": {6, today(2, 0), []pipeline.LaneReport{{}, report(0, 0, 3, 3)}, []uint32{2, 1}},
		"another day":                          {4, pipeline.Grant{Day: 999, Given: []uint32{4, 0}}, []pipeline.LaneReport{report(999, 4, 9), report(0, 0, 3)}, []uint32{1, 1}},
		"one that was smaller":                 {2, today(2, 2), []pipeline.LaneReport{report(1000, 2, 9), {}}, nil},
		"none":                                 {0, today(0, 0), []pipeline.LaneReport{report(0, 0, 9), {}}, nil},
		"more than was granted, by its report": {4, today(0, 1), []pipeline.LaneReport{report(1000, 5, 9), report(1000, 1)}, []uint32{1, 1}},
	} {
		given := slices.Clone(c.before.Given)
		next, more := c.before.Next(&pipeline.Budget{Daily: []int{c.daily}}, noon, c.reports)
		if more != (c.want != nil) || more && !slices.Equal(next.Given, c.want) {
			t.Errorf("%s: %v, %v, want %v", name, next.Given, more, c.want)
		}
		if !slices.Equal(given, c.before.Given) {
			t.Errorf("%s: the grant before has changed", name)
		}
	}
}

// TestLaneLeft: a partition spends a grant on its day, and not twice.
func TestLaneLeft(t *testing.T) {
	g := &pipeline.Grant{Day: 7, Given: []uint32{3, 5}}
	var l pipeline.Lane
	l.Spend(6, 4)
	l.Spend(7, 2)
	for name, c := range map[string]struct {
		g         *pipeline.Grant
		partition int
		day       int64
		left      int
	}{
		"what is left":         {g, 1, 7, 3},
		"of another partition": {g, 0, 7, 1},
		"of one without":       {g, 2, 7, 0},
		"of another day":       {g, 1, 8, 0},
		"of an older grant":    {&pipeline.Grant{Day: 7, Given: []uint32{1, 1}}, 1, 7, 0},
		"of none":              {&pipeline.Grant{}, 1, 7, 0},
		"of a new day":         {&pipeline.Grant{Day: 8, Given: []uint32{1, 1}}, 1, 8, 1},
	} {
		if got := l.Left(c.g, c.partition, c.day); got != c.left {
			t.Errorf("%s: %d, want %d", name, got, c.left)
		}
	}
}

func drawLanes(t *rapid.T) (all pipeline.Lanes) {
	for range rapid.IntRange(0, 3).Draw(t, "lanes") {
		l := all.Of(rapid.StringN(1, 9, -1).Draw(t, "lane"))
		l.Spend(rapid.Int64Range(-5, 1<<40).Draw(t, "day"), rapid.Uint32().Draw(t, "spent"))
		l.Grant = pipeline.Grant{
			Day: rapid.Int64().Draw(t, "granted"), Hour: rapid.Int64().Draw(t, "hour"), Step: rapid.Uint32().Draw(t, "step"),
		}
		for range rapid.IntRange(0, 3).Draw(t, "partitions") {
			l.Grant.Given = append(l.Grant.Given, rapid.Uint32().Draw(t, "given"))
		}
	}
	return all
}

// FuzzLanes: whatever the bytes of their section, it is refused or stands for itself.
func FuzzLanes(f *testing.F) {
	lanes := pipeline.Lanes{
		{Name: "crm", Day: 9, Spent: 300, Grant: pipeline.Grant{Day: 9, Hour: 218, Step: 2, Given: []uint32{1, 300}}},
		{Name: "offer"},
	}
	whole := pipeline.AppendMeta(nil, &pipeline.Meta{Version: pipeline.MetaVersion, Lanes: lanes})
	head := pipeline.AppendMeta(nil, &pipeline.Meta{Version: pipeline.MetaVersion})
	f.Add(whole[len(head):])
	f.Fuzz(func(t *testing.T, section []byte) {
		m, err := pipeline.ReadMeta(append(slices.Clone(head), section...))
		if err != nil {
			return
		}
		again, err := pipeline.ReadMeta(pipeline.AppendMeta(nil, &m))
		if diff := gocmp.Diff(m, again); err != nil || diff != "" {
			t.Fatalf("%v\n%s", err, diff)
		}
	})
}

// TestSharedBytes: what is shared reads back, and damaged bytes are refused or stand for numbers that may be.
func TestSharedBytes(t *testing.T) {
	report := pipeline.BudgetReport{Hour: 9, Lanes: map[string]pipeline.LaneReport{
		"crm": {Day: 3, Spent: 4, Waiting: map[int]int{870: 2, 0: 1}}, "offer": {},
	}}
	if back, err := pipeline.ReadBudgetReport(report.Encode()); err != nil || !reflect.DeepEqual(back, report) {
		t.Errorf("%+v, %v", back, err)
	}
	lanes := pipeline.Lanes{{Name: "a"}, {Name: "b", Grant: pipeline.Grant{Day: 3, Hour: 80, Given: []uint32{1, 2}}}}
	grants := pipeline.Grants{"b": lanes[1].Grant}
	if back, err := pipeline.ReadGrants(lanes.Granted().Encode()); err != nil || !reflect.DeepEqual(back, grants) {
		t.Errorf("%+v, %v", back, err)
	}
	for _, b := range []string{"", "[]", `{"lanes":{"crm":{"waiting":{"x":1}}}}`, `{"lanes":{"crm":{"waiting":{"9":-1}}}}`} {
		if back, err := pipeline.ReadBudgetReport([]byte(b)); err == nil {
			t.Errorf("%s reads as %+v", b, back)
		}
	}
	if back, err := pipeline.ReadGrants([]byte(`{"crm":{"given":[-1]}}`)); err == nil {
		t.Errorf("%+v", back)
	}
}

// raise is one that waits for the budget of a lane in a trial.
type raise struct {
	priority  int
	partition int
	from      int64 // hour from which it may be released
	until     int64 // hour in which it is out of date, or its customer is back
}

// zipfRaises are those of a month: keys are skewed as Zipf 1.1 and hashed to partitions; each partition's customers are worth
// more or less, and more is raised at night than by day.
func zipfRaises(rng *rand.Rand, partitions, days int) (all []raise) {
	keys := rand.NewZipf(rng, 1.1, 1, 9_999)
	worth := make([]int, partitions)
	for i := range worth {
		worth[i] = rng.IntN(500)
	}
	perDay := 1 + rng.IntN(60)
	for day := range days {
		for range rng.IntN(2*perDay + 1) {
			hour := rng.IntN(24)
			if rng.IntN(2) == 0 {
				hour = rng.IntN(6)
			}
			key := keys.Uint64()
			p := int(key*0x9e3779b97f4a7c15>>40) % partitions
			from := int64(day*24 + hour)
			all = append(all, raise{
				priority: min(1000, worth[p]+rng.IntN(501)), partition: p, from: from, until: from + 1 + rng.Int64N(24*14),
			})
		}
	}
	return all
}

// ask is the order of a queue.
func ask(a, b raise) int { return cmp.Or(b.priority-a.priority, cmp.Compare(a.from, b.from)) }

// oneQueue is the value that one global queue releases, hour by hour, with the day's number by the days before on which it
// released any.
func oneQueue(all []raise, daily []int, first, hours int64) (value int) {
	var waiting []raise
	sent, step, last := 0, 0, int64(math.MinInt64)
	for hour := first; hour < first+hours; hour++ {
		day := hour / 24
		if hour%24 == 0 {
			sent = 0
			if last > math.MinInt64 && last == day-1 {
				step++
			}
			if last < day-31 {
				step = 0
			}
		}
		for _, r := range all {
			if r.from == hour {
				waiting = append(waiting, r)
			}
		}
		waiting = slices.DeleteFunc(waiting, func(r raise) bool { return r.until <= hour })
		slices.SortStableFunc(waiting, ask)
		n := min(len(waiting), (daily[min(step, len(daily)-1)]*int(hour%24+1)+23)/24-sent)
		for _, r := range waiting[:n] {
			value += r.priority
		}
		if sent += n; n > 0 {
			last = day
		}
		waiting = waiting[n:]
	}
	return value
}

// member is a partition in a trial: what is published of it is its control records, and a state that was rolled back is what
// they lead to.
type member struct {
	partition int
	records   []pipeline.Release // published
	lanes     pipeline.Lanes
	pending   int // of the records, those that are not published yet
	waiting   []raise
	hour      int64
}

const testLane = "crm"

// shareTrial is a group that shares a budget, with faults.
type shareTrial struct {
	*testing.T
	rng     *rand.Rand
	budget  pipeline.Budget
	members []*member
	hash    map[string][]byte
	copies  []map[string][]byte
	faults  bool
	value   int
	out     map[int64]int // released by the day of the partition's event time
	granted map[int64]bool
}

func (m *member) report() pipeline.BudgetReport {
	l := m.lanes.Of(testLane)
	r := pipeline.LaneReport{Day: l.Day, Spent: l.Spent, Waiting: map[int]int{}}
	for _, w := range m.waiting {
		r.Waiting[w.priority]++
	}
	return pipeline.BudgetReport{Hour: m.hour, Lanes: map[string]pipeline.LaneReport{testLane: r}}
}

// change applies a control record; it is published later.
func (m *member) change(r pipeline.Release) {
	r.Reason, r.Lane = "budget", testLane
	m.lanes.Apply(&r)
	m.records, m.pending = append(m.records, r), m.pending+1
}

// die loses what is not published, and goes on with what the published records lead to.
func (s *shareTrial) die(m *member) {
	for _, r := range m.records[len(m.records)-m.pending:] {
		s.out[r.Day] -= r.Count
	}
	m.records, m.pending, m.lanes = m.records[:len(m.records)-m.pending], 0, nil
	for i := range m.records {
		m.lanes.Apply(&m.records[i])
	}
}

// step is one thing that a member does, in any order with those of others.
func (s *shareTrial) step(m *member) {
	if s.faults {
		switch s.rng.IntN(40) {
		case 0:
			s.hash = map[string][]byte{}
		case 1:
			s.copies = append(s.copies, maps.Clone(s.hash))
		case 2:
			if len(s.copies) > 0 {
				s.hash = maps.Clone(s.copies[s.rng.IntN(len(s.copies))])
			}
		case 3:
			s.die(m)
		}
	}
	if !s.faults || s.rng.IntN(10) > 0 {
		r := m.report()
		s.hash[strconv.Itoa(m.partition)] = r.Encode()
	}
	if !s.faults || s.rng.IntN(3) > 0 {
		m.pending = 0
	}
	if m.partition == 0 {
		s.grant(m)
		if m.pending == 0 {
			s.hash["grants"] = m.lanes.Granted().Encode()
		}
	}
	s.release(m)
}

func (s *shareTrial) grant(m *member) {
	reports := make([]pipeline.LaneReport, len(s.members))
	for n := range reports {
		r, err := pipeline.ReadBudgetReport(s.hash[strconv.Itoa(n)])
		if err != nil || r.Hour < m.hour {
			if s.faults && s.rng.IntN(20) == 0 { // it has waited for long enough
				continue
			}
			return
		}
		reports[n] = r.Lanes[testLane]
	}
	kept := m.lanes.Of(testLane).Grant
	if len(kept.Given) > 0 && kept.Hour >= m.hour {
		return
	}
	if next, more := kept.Next(&s.budget, m.hour, reports); more {
		m.change(pipeline.Release{Grant: &next})
		s.granted[next.Day] = true
	}
}

func (s *shareTrial) release(m *member) {
	grants, err := pipeline.ReadGrants(s.hash["grants"])
	if err != nil {
		return
	}
	grant, day := grants[testLane], pipeline.FloorDiv(m.hour, 24)
	n := min(len(m.waiting), m.lanes.Of(testLane).Left(&grant, m.partition, day))
	if n == 0 {
		return
	}
	slices.SortStableFunc(m.waiting, ask)
	for _, r := range m.waiting[:n] {
		s.value += r.priority
	}
	m.waiting = m.waiting[n:]
	s.out[day] += n
	m.change(pipeline.Release{Day: day, Count: n})
}

// run has the members pass hours, each at its own pace where there are faults, with many steps in between.
func (s *shareTrial) run(all []raise, first, hours int64) {
	for _, m := range s.members {
		m.hour = first - 1
	}
	for hour := first; hour < first+hours; hour++ {
		for _, m := range s.members {
			if s.faults && s.rng.IntN(12) == 0 {
				continue // it is away, and comes after
			}
			for m.hour < hour {
				m.hour++
				for _, r := range all {
					if r.partition == m.partition && r.from == m.hour {
						m.waiting = append(m.waiting, r)
					}
				}
			}
			m.waiting = slices.DeleteFunc(m.waiting, func(r raise) bool { return r.until <= m.hour })
		}
		for range 4 {
			for _, n := range s.rng.Perm(len(s.members)) {
				s.step(s.members[n])
			}
		}
	}
}

// TestBudgetShared: four partitions with skewed keys never spend more than the budget of a day, whatever fails: reports and
// grants that are lost, or come from an older copy, members that die before what they did is published, or are hours behind.
// Where nothing fails they release what one global queue would, to 95 % of its value.
func TestBudgetShared(t *testing.T) {
	const first, days, seeds = int64(20_000 * 24), 24, 12
	least, lost := 1.0, 0
	for seed := range uint64(seeds) {
		for _, faults := range []bool{false, true} {
			rng := rand.New(rand.NewPCG(seed, 40))
			all := zipfRaises(rng, 4, days)
			for i := range all {
				all[i].from, all[i].until = all[i].from+first, all[i].until+first
			}
			daily := [][]int{{5, 10, 25}, {24}, {1}, {3, 50}, {100}}[rng.IntN(5)]
			s := &shareTrial{
				T: t, rng: rng, budget: pipeline.Budget{Lane: testLane, Daily: daily}, faults: faults,
				hash: map[string][]byte{}, out: map[int64]int{}, granted: map[int64]bool{},
			}
			for n := range 4 {
				s.members = append(s.members, &member{partition: n})
			}
			s.run(all, first, days*24)
			s.never(seed)
			best := oneQueue(all, daily, first, days*24)
			if faults {
				lost += best - s.value
				continue
			}
			if share := float64(s.value) / float64(max(best, 1)); share < 0.95 {
				t.Errorf("seed %d: %d of the %d of one queue", seed, s.value, best)
			} else {
				least = min(least, share)
			}
		}
	}
	t.Logf("seeds 0 to %d: the least share of one queue's value is %.3f", seeds-1, least)
	if lost == 0 {
		t.Error("faults cost nothing: the trials show too little")
	}
}

// never checks that no day has more than its budget, by the days with grants before it.
func (s *shareTrial) never(seed uint64) {
	s.Helper()
	step, days := 0, maps.Clone(s.out)
	for day := range s.granted {
		days[day] = s.out[day]
	}
	for _, day := range slices.Sorted(maps.Keys(days)) {
		n := 0
		if s.granted[day] {
			n = s.budget.Daily[min(step, len(s.budget.Daily)-1)]
			step++
		}
		if s.out[day] > n {
			s.Errorf("seed %d: day %d has %d of %d", seed, day, s.out[day], n)
		}
	}
}
