package sources

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/scoring/encode"
)

// feed is a source for tests: how many events come in each hour since the epoch.
type feed struct {
	hash uint64
	name string
	rate func(hour int64) float64
}

// play sends what feeds send from the begin to an hour, in order of time, and returns the turns.
func play(t *Table, random *rand.Rand, to int64, feeds ...feed) (turns []Turn) {
	for h := int64(begin); h < to; h++ {
		var at []int64
		var of []*feed
		for i := range feeds {
			mean := feeds[i].rate(h)
			for left := random.ExpFloat64(); left < mean; left += random.ExpFloat64() {
				at, of = append(at, h*hourMillis+int64(left/mean*hourMillis)), append(of, &feeds[i])
			}
		}
		for len(at) > 0 {
			first := 0
			for i := range at {
				if at[i] < at[first] {
					first = i
				}
			}
			t.Reach(at[first])
			t.Heard(of[first].hash, []byte(of[first].name), at[first])
			turns = append(turns, t.Take()...)
			at, of = append(at[:first], at[first+1:]...), append(of[:first], of[first+1:]...)
		}
	}
	return turns
}

// worker is a source that sends by day from Monday to Friday, and little else.
func worker(usual float64) func(hour int64) float64 {
	return func(hour int64) float64 {
		weekday, of := (hour/24+3)%7, hour%24 // 1970-01-01 was a Thursday
		switch {
		case weekday >= 5:
			return usual / 40
		case of < 7 || of > 19:
			return usual / 20
		default:
			return usual
		}
	}
}

const begin = 19_002 * 24 // a Monday of 2022

// TestNightsAndWeekends: in two years of nights and weekends, of a busy source and a small one, nothing is stalled.
func TestNightsAndWeekends(t *testing.T) {
	for seed := range uint64(4) {
		var table Table
		turns := play(&table, rand.New(rand.NewPCG(seed, 1)), begin+2*365*24,
			feed{0, "", worker(120)}, feed{7, "helpdesk", worker(2)})
		if len(turns) > 0 {
			t.Errorf("seed %d: %+v", seed, turns)
		}
	}
}

// TestHoliday: a day on which nearly nothing comes stalls a source once. A year later it is no outage.
func TestHoliday(t *testing.T) {
	usual := worker(100)
	holiday := func(hour int64) float64 {
		if day := (hour - begin) / 24; day == 100 || day == 465 { // the same date
			return usual(hour) / 30
		}
		return usual(hour)
	}
	var table Table
	turns := play(
		&table,
		rand.New(rand.NewPCG(3, 1)),
		begin+500*24,
		feed{0, "", holiday},
		feed{9, "other", worker(50)},
	)
	for _, turn := range turns {
		if turn.At/day-begin/24 > 101 {
			t.Errorf("%+v", turn)
		}
	}
	if len(turns) == 0 || turns[0].At/day-begin/24 != 100 {
		t.Errorf("%+v", turns)
	}
}

// TestOutage: a source that is cut is stalled within two busy hours, as of its last event, and resumes with its second
// one. The time in which it was cut is frozen, for itself alone.
func TestOutage(t *testing.T) {
	from, to := int64(begin+50*7*24+11), int64(begin+50*7*24+11+72)
	cut := func(hour int64) float64 {
		if from <= hour && hour < to {
			return 0
		}
		return worker(60)(hour)
	}
	var table Table
	turns := play(
		&table,
		rand.New(rand.NewPCG(5, 1)),
		begin+52*7*24,
		feed{1, "website", cut},
		feed{2, "shop", worker(30)},
	)
	if len(turns) != 2 {
		t.Fatalf("%+v", turns)
	}
	stalled, resumed := turns[0], turns[1]
	if !stalled.Stalled || stalled.At-from*hour > 2*hour || stalled.Since > from*hour || from*hour-stalled.Since > 10 {
		t.Errorf("cut at minute %d: %+v", from*hour, stalled)
	}
	if resumed.Stalled || resumed.At < to*hour || resumed.At > to*hour+30 || resumed.GivenUp {
		t.Errorf("back at minute %d: %+v", to*hour, resumed)
	}
	website, shop := table.Heard(1, nil, resumed.At*minuteMillis), table.Heard(2, nil, resumed.At*minuteMillis)
	minutes, still := table.Frozen(website, resumed.At+5)
	if cut := (to - from) * hour; minutes < cut || minutes > cut+20 || still {
		t.Errorf("%d minutes are frozen of %d, stalled %v", minutes, cut, still)
	}
	if minutes, _ := table.Frozen(shop, resumed.At); minutes != 0 {
		t.Errorf("%d minutes are frozen of a source that was not cut", minutes)
	}
}

// TestGap: where nothing moves the watermark during an outage, the first event after it finds the hours of the gap judged:
// what is due in them is looked at as of a source that was stalled.
func TestGap(t *testing.T) {
	var table Table
	random := rand.New(rand.NewPCG(8, 1))
	from, to := int64(begin+9*7*24+12), int64(begin+9*7*24+60)
	play(&table, random, from, feed{0, "", worker(60)})
	first := to*hourMillis + 17*minuteMillis
	table.Reach(first)
	if turns := table.Take(); len(turns) != 1 || !turns[0].Stalled || turns[0].At > (from+2)*hour {
		t.Fatalf("%+v", turns)
	}
	if minutes, stalled := table.Frozen(Own, from*hour+30); minutes != 0 || stalled {
		t.Errorf("before it was known: %d minutes, stalled %v", minutes, stalled)
	}
	minutes, stalled := table.Frozen(Own, (from+24)*hour)
	if minutes < 23*hour || minutes > 25*hour || !stalled {
		t.Errorf("a day later: %d minutes, stalled %v", minutes, stalled)
	}
	table.Heard(0, nil, first)
	if minutes, stalled = table.Frozen(Own, first/minuteMillis+40); !stalled || minutes > (to-from)*hour+60 {
		t.Errorf("after one event: %d minutes, stalled %v", minutes, stalled)
	}
	table.Heard(0, nil, first+5*minuteMillis)
	if _, stalled = table.Frozen(Own, first/minuteMillis+40); stalled || !table.Turned() {
		t.Error("still stalled after two")
	}
	table.Settle()
	if after, stalled := table.Frozen(
		Own,
		first/minuteMillis+40,
	); after < minutes-1 || after > minutes+1 || stalled ||
		table.Turned() {
		t.Errorf("settled: %d minutes, before %d, stalled %v", after, minutes, stalled)
	}
}

// TestTrickle: a source of which a fifth comes is stalled, and not back with each event.
func TestTrickle(t *testing.T) {
	from, to := int64(begin+20*7*24+8), int64(begin+23*7*24+8)
	fifth := func(hour int64) float64 {
		if from <= hour && hour < to {
			return worker(60)(hour) / 5
		}
		return worker(60)(hour)
	}
	var table Table
	turns := play(&table, rand.New(rand.NewPCG(5, 1)), begin+26*7*24, feed{0, "", fifth})
	if len(turns) != 2 || turns[0].At > (from+48)*hour || turns[1].At < to*hour || turns[1].At > (to+24)*hour {
		t.Errorf("from %d to %d: %+v", from*hour, to*hour, turns)
	}
}

// TestBacklog: what a source kept back while it was cut, and sends at its return, does not count as usual: another cut is
// found as soon.
func TestBacklog(t *testing.T) {
	from := int64(begin + 20*7*24 + 11)
	again := from + 3*7*24
	for _, hours := range []int64{1, 3, 6, 12} {
		rate := func(hour int64) float64 {
			switch {
			case from <= hour && hour < from+72, again <= hour && hour < again+72:
				return 0
			case from+72 <= hour && hour < from+72+hours:
				return 72*60/float64(hours) + worker(60)(hour)
			}
			return worker(60)(hour)
		}
		var table Table
		turns := play(&table, rand.New(rand.NewPCG(5, 1)), again+100, feed{1, "website", rate}, feed{2, "shop", worker(30)})
		if len(turns) != 4 || turns[2].At > (again+2)*hour {
			t.Errorf("within %d hours, cut at minutes %d and %d: %+v", hours, from*hour, again*hour, turns)
		}
	}
}

// TestBackForMore: a source that comes back with three times as much is learnt anew.
func TestBackForMore(t *testing.T) {
	from := int64(begin + 20*7*24 + 11)
	rate := func(hour int64) float64 {
		switch {
		case hour < from:
			return worker(60)(hour)
		case hour < from+72:
			return 0
		}
		return worker(180)(hour)
	}
	var table Table
	play(&table, rand.New(rand.NewPCG(5, 1)), from+8*7*24, feed{1, "website", rate}, feed{2, "shop", worker(30)})
	if usual := table.All[table.Heard(1, nil, (from+8*7*24)*hourMillis)-1].expected((from + 8*7*24) * hour); usual < 120 {
		t.Errorf("%v an hour", usual)
	}
}

// TestGivenUp: what has lasted for five weeks is usual from then on.
func TestGivenUp(t *testing.T) {
	from := int64(begin + 20*7*24)
	gone := func(hour int64) float64 {
		if hour >= from {
			return 0
		}
		return worker(60)(hour)
	}
	var table Table
	turns := play(
		&table,
		rand.New(rand.NewPCG(5, 1)),
		begin+40*7*24,
		feed{1, "old", gone},
		feed{2, "new", worker(60)},
	)
	if len(turns) != 2 || !turns[1].GivenUp || turns[1].At < from*hour+longest-hour ||
		turns[1].At > from*hour+longest+hour {
		t.Errorf("%+v", turns)
	}
}

// TestMostSources: beyond sixteen sources others are not guarded, until one gives way that sends next to nothing.
func TestMostSources(t *testing.T) {
	var table Table
	at := int64(begin * hourMillis)
	table.Reach(at)
	numbers := map[uint8]bool{}
	for i := range uint64(20) {
		numbers[table.Heard(100+i, []byte{'a' + byte(i)}, at)] = true
	}
	if len(table.All) != most || !numbers[Other] || len(numbers) != most+1 {
		t.Errorf("%d sources, numbers %v", len(table.All), numbers)
	}
	for h := int64(begin); h < begin+15*24; h++ {
		table.Reach(h * hourMillis)
		table.Heard(103, []byte("d"), h*hourMillis)
	}
	if n := table.Heard(119, []byte("t"), at); n != most+1 || len(table.All) != 2 {
		t.Errorf("number %d, %d sources", n, len(table.All))
	}
}

// TestRest: switched off, a stalled source resumes, and nothing of the time until it is switched on again is judged.
func TestRest(t *testing.T) {
	var table Table
	random := rand.New(rand.NewPCG(8, 1))
	end := int64(begin + 9*7*24 + 12)
	play(&table, random, end, feed{0, "", worker(60)})
	table.Reach((end + 5) * hourMillis)
	table.Take()
	table.Rest((end + 6) * hourMillis)
	if turns := table.Take(); len(turns) != 1 || turns[0].Stalled {
		t.Errorf("%+v", turns)
	}
	table.Reach((end + 500) * hourMillis)
	if turns := table.Take(); len(turns) != 0 {
		t.Errorf("%+v", turns)
	}
}

// TestBytes: a table reads back as it was, and takes as much as is said.
func TestBytes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		weeks := rapid.Int64Range(0, 12).Draw(rt, "weeks")
		quiet := rapid.Int64Range(0, 200).Draw(rt, "quiet")
		var table Table
		end := begin + weeks*7*24 + rapid.Int64Range(0, 50).Draw(rt, "hours")
		play(&table, random, end, feed{0, "", worker(10)}, feed{1, "other", worker(30)})
		table.Reach((end + quiet) * hourMillis)
		if rapid.Bool().Draw(rt, "back") {
			table.Heard(1, []byte("other"), (end+quiet)*hourMillis+5)
		}
		table.Take()
		table.Newest = 0
		b := Append(nil, &table)
		var back Table
		r := encode.NewReader(b)
		if len(b) > 0 {
			Read(&r, &back)
		}
		if diff := cmp.Diff(table, back); diff != "" || !r.Whole() {
			rt.Fatalf("whole %v (-want +got):\n%s", r.Whole(), diff)
		}
		if len(b) > 2*750 {
			rt.Fatalf("%d bytes", len(b))
		}
	})
}

func FuzzRead(f *testing.F) {
	var table Table
	play(&table, rand.New(rand.NewPCG(1, 1)), begin+5*7*24, feed{0, "", worker(10)}, feed{1, "other", worker(30)})
	table.Reach((begin + 6*7*24) * hourMillis)
	f.Add(Append(nil, &table))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, got := encode.NewReader(b), Table{}
		if Read(&r, &got); !r.Whole() {
			return
		}
		if again := Append(nil, &got); !bytes.Equal(again, b) {
			t.Fatalf("% x, want % x", again, b)
		}
		got.Reach(got.Until + 3*week*minuteMillis) // does not panic
		got.Heard(0, nil, got.Until)
	})
}

// BenchmarkHeard: what an event costs.
func BenchmarkHeard(b *testing.B) {
	var table Table
	at := int64(begin * hourMillis)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		at += 10
		table.Reach(at)
		table.Heard(1+uint64(i&1), []byte("website"), at)
	}
}
