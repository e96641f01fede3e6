package line

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ebb/pipeline"
	"ebb/scoring"
	"ebb/scoring/profile"
)

// outage is one that a source had, by its feed and by what was announced of it; minutes of the watermark.
type outage struct {
	source       string
	since, known int64 // announced: since when nothing came, or far too little, and from when on that is known
	little       bool  // some came
	back         int64 // its first event, if nothing had come; 0: none yet
	resumed      int64 // announced; 0: it is out
}

// feed is a log with its sources' outages, and what a look at each minute leads to: neither how much of the time is frozen
// nor when somebody is looked at comes from the line.
type feed struct {
	*shelf
	t        *rapid.T
	judge    *scoring.Scorer
	outages  []outage
	heard    map[string]int64 // by source: the watermark's minute at its newest event
	waiting  map[string]*awaited
	customer map[string]string // the source of each one's newest event
	raised   int
	thawed   int // of these, after an outage
	halted   int // of these, whose minute came while it was not known yet whether the source is back
}

// awaited is a customer as of its newest event or transition.
type awaited struct {
	profile.Profile
	from   int64 // minute
	source string
}

// TestDeadlinesBesideOutages: each lapse is raised and escalated at the first minute at which the customer's silence,
// less the time for which the feed of its source was cut, reaches the tier, and at none in which the source is stalled; and
// nobody else is. That is found by looking at every hour, and at the minutes around each transition. "task test:deadlines"
// draws a thousand logs.
func TestDeadlinesBesideOutages(t *testing.T) {
	raised, frozen, halted, outages, logs := 0, 0, 0, 0, 0
	most := 20
	if text := os.Getenv("EBB_TEST_DEADLINES"); text != "" {
		var err error
		if most, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		if logs++; logs > most {
			return
		}
		f := &feed{
			shelf: newGuardedFor(t, r), t: r,
			heard: map[string]int64{}, waiting: map[string]*awaited{}, customer: map[string]string{},
		}
		f.judge = scoring.NewScorer(f.pack)
		for _, record := range drawFeed(r) {
			f.take(t, record)
		}
		for key := range f.waiting {
			f.quiet(key, f.minute())
		}
		raised, frozen, halted, outages = raised+f.raised, frozen+f.thawed, halted+f.halted, outages+len(f.outages)
	})
	t.Logf("%d transitions, %d of them after an outage, %d within the return of a source; %d outages",
		raised, frozen, halted, outages)
	if raised < 20*most || frozen < most/10 || outages < most/2 {
		t.Error("the logs show too little")
	}
}

func newGuardedFor(t testing.TB, r *rapid.T) *shelf {
	s := newGuarded(t)
	horizon := time.Duration(rapid.IntRange(2, 12).Draw(r, "horizon")) * 24 * time.Hour
	lateness := rapid.SampledFrom([]time.Duration{0, 5 * time.Minute, 3 * time.Hour}).Draw(r, "lateness")
	s.pack = anyOf(t, horizon)
	s.cfg.Settings.LatenessMillis = lateness.Milliseconds()
	s.restart()
	return s
}

// feedEvent is an event of the log.
type feedEvent struct {
	at               int64 // ms
	source, customer string
}

const feedEnd = sourceEnd + 10*pipeline.DayMillis

// drawFeed is a log of three sources, two of which are cut for some time once or twice after the fifth week. What is back
// sends three events within some minutes.
func drawFeed(r *rapid.T) (all []feedEvent) {
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 1))
	customers := rapid.IntRange(20, 60).Draw(r, "customers")
	for _, source := range []string{"website", "shop", "app"} {
		var cuts [][2]int64
		for at := int64(sourceBegin + 33*pipeline.DayMillis); source != "app" && rapid.IntRange(0, 2).Draw(r, "cut") > 0; {
			at += rapid.Int64Range(0, 8*24).Draw(r, "hours to it") * pipeline.HourMillis
			end := at + rapid.Int64Range(12, 7*24).Draw(r, "hours of it")*pipeline.HourMillis +
				rapid.Int64Range(10, 50).Draw(r, "minutes of it")*pipeline.MinuteMillis // so that no hour ends on its return
			if end > feedEnd-2*pipeline.DayMillis {
				break
			}
			cuts = append(cuts, [2]int64{at, end})
			for n := range int64(3) {
				all = append(all, feedEvent{end + n*2*pipeline.MinuteMillis + rng.Int64N(1000), source, ""})
			}
			at = end + 2*pipeline.DayMillis
		}
		for at := int64(sourceBegin); at < feedEnd; {
			at += 1 + int64(rng.ExpFloat64()*float64(40*pipeline.MinuteMillis))
			if !slices.ContainsFunc(cuts, func(c [2]int64) bool { return c[0] <= at && at < c[1] }) {
				all = append(all, feedEvent{at, source, ""})
			}
		}
	}
	slices.SortFunc(all, func(a, b feedEvent) int { return int(a.at - b.at) })
	for i := range all {
		c := int(float64(customers) * rng.Float64() * rng.Float64())
		if own := map[string]int{"website": 0, "shop": 1, "app": 2}[all[i].source]; rng.IntN(10) > 0 {
			c += own - c%3 // most come by one source
		}
		all[i].customer = fmt.Sprintf("c%d", c)
	}
	return all
}

func (f *feed) minute() int64 { return f.Line.meta.Clock.Minute() }

// take folds an event, and checks what fell due by it.
func (f *feed) take(t testing.TB, e feedEvent) {
	before, seen := f.minute(), len(f.outbox)
	f.put(t, []pipeline.Record{{Timestamp: e.at, Value: fmt.Appendf(nil,
		`{"id":"%s%d","customer":%q,"type":"visit","time":%d,"source":%q}`, e.source, e.at, e.customer, e.at, e.source)}})
	f.settle(t)
	key, fell := string(pipeline.AppendKey(nil, nil, []byte(e.customer))), map[string]bool{}
	if !f.Line.meta.Clock.Started { // once it has, what it has passed falls due
		f.customer[key] = e.source
		f.await(key, e.at/pipeline.MinuteMillis, e.source)
		return
	}
	f.hear(e.source, f.outbox[seen:])
	for _, b := range f.outbox[seen:] {
		d := pipeline.MustReadEntry(b)
		if d.Kind != pipeline.EntryAlert {
			continue
		}
		who, minute, transition := string(d.Key), d.Alert.At/pipeline.MinuteMillis, d.Alert.Transition
		if fires := transition == scoring.Raised || transition == scoring.Escalated; fires && !fell[who] {
			fell[who] = true // what the next one follows from is not stored
			f.fell(who, minute)
		}
	}
	if !fell[key] {
		f.quiet(key, before)
	}
	f.customer[key] = e.source
	for who := range fell {
		f.await(who, before, f.customer[who])
	}
	f.await(key, e.at/pipeline.MinuteMillis, e.source)
}

// hear brings the outages up to date with an event and the announcements that came with it.
func (f *feed) hear(source string, outbox [][]byte) {
	for i := range f.outages {
		if o := &f.outages[i]; o.source == source && o.back == 0 {
			o.back = f.minute()
		}
	}
	for _, b := range outbox {
		c := pipeline.MustReadEntry(b).Change
		switch c.Kind {
		case pipeline.ControlStalled:
			o := outage{
				source: c.Source.Name, since: c.Source.Since.Unix() / 60, known: c.Source.At.Unix() / 60,
			}
			o.little = f.heard[o.source] > o.since
			if o.little && c.Source.Seen == 0 || o.since > o.known {
				f.t.Fatalf("%+v, heard in minute %d", c, f.heard[o.source])
			}
			if o.source == source { // it is known by the event that ends it
				o.back = f.minute()
			}
			f.outages = append(f.outages, o)
		case pipeline.ControlResumed:
			for i := range f.outages {
				if o := &f.outages[i]; o.source == c.Source.Name && o.resumed == 0 {
					o.resumed = c.Source.At.Unix() / 60
					// It resumes at the end of an hour: what came in an earlier hour was not enough, and did not count.
					o.little = o.little || o.back != 0 && o.resumed%60 == 0 && o.resumed > o.back/60*60+60
				}
			}
		}
	}
	f.heard[source] = f.minute()
}

// most is for how many minutes a source was out at most, where it is not known yet whether what came is enough.
func (f *feed) most(source string, minute int64) int64 {
	minutes, _ := f.frozen(source, minute)
	for _, o := range f.outages {
		if o.source == source && o.known <= minute && o.resumed == 0 && o.back != 0 && !o.little {
			minutes += max(0, minute-o.back)
		}
	}
	return minutes
}

// frozen is for how many minutes a source was out in all, as far as that was known at a minute, and whether it is then.
func (f *feed) frozen(source string, minute int64) (minutes int64, out bool) {
	for _, o := range f.outages {
		if o.source != source || minute < o.known {
			continue
		}
		until, back := minute, o.back
		if o.little {
			back = o.resumed
		}
		if back != 0 {
			until = min(until, back)
		}
		minutes += until - o.since
		out = out || o.resumed == 0 || minute < o.resumed
	}
	return minutes, out
}

// await notes a customer as it is stored, as of a minute or a later one. It has to account for the time for which its
// source was out by then, and after an event for no more.
func (f *feed) await(key string, minute int64, source string) {
	a := &awaited{from: minute, source: source}
	if f.profiles[key] == nil { // it is removed, after so long
		delete(f.waiting, key)
		return
	}
	if err := profile.Read(f.profiles[key], &profile.Customer{Profile: &a.Profile}); err != nil {
		f.t.Fatal(err)
	}
	least, _ := f.frozen(source, minute)
	event := a.Active()/pipeline.MinuteMillis == minute
	if got := int64(a.Source.Frozen); got < least || event && got > f.most(source, minute) {
		f.t.Fatalf("%q: %d minutes are frozen, %s", key, least, f.show(a))
	}
	f.waiting[key] = a
}

// reaches is what a look at a customer leads to at a minute, and whether anybody may look then.
func (f *feed) reaches(a *awaited, minute int64) (is, allowed bool) {
	frozen, out := f.frozen(a.source, minute)
	c := profile.Customer{Profile: new(a.Profile)}
	// What an event accounts for is asked for its own minute, which is ahead of the watermark by the lateness: a source that
	// resumes in between has been out for less, and that is not taken back.
	c.Armed = minute - max(0, frozen-int64(a.Source.Frozen))
	return len(f.judge.Wake(&c)) > 0, !out
}

// fell checks a transition at a minute.
func (f *feed) fell(key string, minute int64) {
	a := f.waiting[key]
	f.raised++
	is, allowed := f.reaches(a, minute)
	if !is || !allowed {
		f.t.Fatalf(
			"%q in minute %d: it reaches the tier: %v, it may be looked at: %v; %s",
			key,
			minute,
			is,
			allowed,
			f.show(a),
		)
	}
	frozen, _ := f.frozen(a.source, minute)
	f.thawed += int(max(0, min(frozen-int64(a.Source.Frozen), 1)))
	const recheck = 10 // minutes, after which a customer is looked at again whose source may be back
	for _, o := range f.outages {
		if is, _ := f.reaches(a, o.resumed); o.source == a.source && o.resumed <= minute && minute < o.resumed+recheck && is {
			f.halted++ // its minute came while the source was halted
			f.quiet(key, o.resumed-1)
			return
		}
	}
	f.quiet(key, minute-1)
}

func (f *feed) show(a *awaited) string {
	return fmt.Sprintf("from %d of %s, armed for %d, last %d, %d frozen; watermark %d, outages %+v",
		a.from, a.source, a.Armed, a.Last/pipeline.MinuteMillis, a.Source.Frozen, f.minute(), f.outages)
}

// quiet checks that a customer reaches nothing at any hour up to a minute, nor at that.
func (f *feed) quiet(key string, until int64) {
	a := f.waiting[key]
	if a == nil {
		return
	}
	for minute := until; minute > a.from; minute -= 60 {
		if is, allowed := f.reaches(a, minute); is && allowed {
			f.t.Fatalf("%q reaches a tier in minute %d already, of up to %d; %s", key, minute, until, f.show(a))
		}
	}
}
