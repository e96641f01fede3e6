package pipeline_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/pipeline"
	"ebb/scoring/encode"
)

const stormHour = 480_000 // since the epoch

// TestStormBreaks: from which raise on an hour is a storm, by the hours before it.
func TestStormBreaks(t *testing.T) {
	// each is how many hours ago, and with how many raises
	for name, c := range map[string]struct {
		before [][2]int64
		limit  int
	}{
		"nothing known":                    {nil, 50},
		"six large hours of four weeks":    {[][2]int64{{1, 90}, {2, 90}, {3, 90}, {4, 90}, {5, 90}, {6, 90}}, 50},
		"seven":                            {[][2]int64{{1, 90}, {2, 80}, {3, 90}, {4, 90}, {5, 90}, {6, 90}, {7, 90}}, 320},
		"seven small ones":                 {[][2]int64{{1, 9}, {2, 9}, {3, 9}, {4, 9}, {5, 9}, {6, 9}, {7, 9}}, 50},
		"the seventh is four weeks old":    {[][2]int64{{1, 90}, {2, 90}, {3, 90}, {4, 90}, {5, 90}, {6, 90}, {672, 20}}, 80},
		"and older":                        {[][2]int64{{1, 90}, {2, 90}, {3, 90}, {4, 90}, {5, 90}, {6, 90}, {673, 90}}, 50},
		"an hour behind it does not count": {[][2]int64{{1, 90}, {2, 90}, {3, 90}, {4, 90}, {5, 90}, {6, 90}, {-1, 90}}, 50},
		"more than can be counted in four bytes": {[][2]int64{
			{1, math.MaxUint32},
			{2, math.MaxUint32},
			{3, math.MaxUint32},
			{4, math.MaxUint32},
			{5, math.MaxUint32},
			{6, math.MaxUint32},
			{7, math.MaxUint32},
		}, 4 * math.MaxUint32},
	} {
		t.Run(name, func(t *testing.T) {
			var s pipeline.Storms
			for _, b := range c.before {
				s.Hour(stormHour - b[0]).Raised = uint32(b[1])
			}
			settings := &pipeline.Settings{Storm: pipeline.StormRules, ReviewMillis: 90 * pipeline.MinuteMillis}
			h := s.Hour(stormHour)
			for _, raised := range []int{0, c.limit - 1, c.limit} {
				h.Raised = uint32(min(raised, math.MaxUint32))
				if got := s.Breaks(h, settings); got != (int(h.Raised) >= c.limit) {
					t.Errorf("with %d raises: %v, the limit is %d", raised, got, c.limit)
				}
			}
			review := int64(stormHour+2)*60 + 30
			storm := s.StormAt(h, settings, h.Review(settings), pipeline.Due{Minute: 5})
			if storm.Limit != c.limit || storm.Number != 1 || storm.Since() != stormHour ||
				!storm.Review.Equal(time.UnixMilli(review*pipeline.MinuteMillis)) {
				t.Errorf("%+v, want a limit of %d", storm, c.limit)
			}
		})
	}
}

// TestStormUsual: the usual of an hour is the 99th percentile of the four weeks before it.
func TestStormUsual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s pipeline.Storms
		all := make([]uint32, 28*24)
		for range rapid.IntRange(0, 60).Draw(t, "hours") {
			ago := rapid.IntRange(1, len(all)).Draw(t, "ago")
			all[ago-1]++
			s.Hour(stormHour - int64(ago)).Count()
		}
		s.Hour(stormHour).Count()
		slices.Sort(all)
		if got, want := s.Usual(stormHour), all[len(all)*99/100]; got != want {
			t.Fatalf("%d, want %d", got, want)
		}
	})
}

// TestStormsForget: what no limit follows from is dropped, and nothing else.
func TestStormsForget(t *testing.T) {
	var s pipeline.Storms
	for _, ago := range []int64{0, 671, 672, 673, 9000} {
		s.Hour(stormHour - ago).Count()
	}
	s.Forget(stormHour*pipeline.HourMillis + 5)
	if want := []int64{stormHour - 672, stormHour - 671, stormHour}; len(s.Hours) != 3 || s.Hours[0].Hour != want[0] ||
		s.Hours[1].Hour != want[1] || s.Hours[2].Hour != want[2] {
		t.Errorf("%+v, want hours %v", s.Hours, want)
	}
}

func drawStorms(t *rapid.T) (s pipeline.Storms) {
	s.Number = rapid.Int64Range(0, 5).Draw(t, "number")
	for range rapid.IntRange(0, 9).Draw(t, "hours") {
		h := s.Hour(rapid.Int64Range(-5, 1<<40).Draw(t, "hour"))
		h.Raised, h.Storm = rapid.Uint32().Draw(t, "raised"), rapid.Bool().Draw(t, "storm")
	}
	return s
}

// TestStormsBytes: they read back, and what a busy partition keeps is small.
func TestStormsBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := pipeline.Meta{Version: pipeline.MetaVersion, Storms: drawStorms(t)}
		back, err := pipeline.ReadMeta(pipeline.AppendMeta(nil, &m))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m, back); diff != "" {
			t.Fatal(diff)
		}
	})
	busy := pipeline.Meta{Version: pipeline.MetaVersion}
	for h := range int64(673) {
		busy.Storms.Hour(stormHour + h).Raised = 8191
	}
	if n := len(pipeline.AppendMeta(nil, &busy)); n > 3*673+20 {
		t.Errorf("%d bytes", n)
	}
}

// FuzzStorms: whatever the bytes, they are refused or read back as they are.
func FuzzStorms(f *testing.F) {
	m := pipeline.Meta{Version: pipeline.MetaVersion, Storms: pipeline.Storms{
		Number: 3, Hours: []pipeline.LapseHour{{Hour: 480_000, Raised: 7}, {Hour: 480_009, Raised: 51, Storm: true}},
	}}
	whole := pipeline.AppendMeta(nil, &m)
	_, body, _, _ := encode.NextSection(whole[2:])
	f.Add(body)
	f.Fuzz(func(t *testing.T, body []byte) {
		b, at := encode.BeginSection([]byte{whole[0], whole[1]}, 16)
		b = encode.EndSection(append(b, body...), at)
		got, err := pipeline.ReadMeta(b)
		if err != nil {
			return
		}
		for i := 1; i < len(got.Storms.Hours); i++ {
			if got.Storms.Hours[i-1].Hour >= got.Storms.Hours[i].Hour {
				t.Fatalf("%+v are out of order", got.Storms.Hours)
			}
		}
		again, err := pipeline.ReadMeta(pipeline.AppendMeta(nil, &got))
		if diff := cmp.Diff(got, again); err != nil || diff != "" {
			t.Fatalf("%v\n%s", err, diff)
		}
	})
}
