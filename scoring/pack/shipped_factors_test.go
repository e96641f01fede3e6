package pack_test

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ebb/scoring"
	"ebb/scoring/feature"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// TestPackFactors compares the shipped packs with testdata/packs.txt, and that file with the packs: it shows every
// factor and floor where it counts and where it does not.
func TestPackFactors(t *testing.T) {
	packs, missing := map[string]*pack.Pack{}, map[string]bool{}
	for name, p := range verticals(t) {
		pack := scoringtest.Must(pack.Load(name, nil, pack.Overrides{}))
		if pack.Value.Feature < 0 || pack.Model.Stages.Onboarding == 0 || pack.Model.Stages.Churned == 0 ||
			len(pack.Playbooks) == 0 {
			t.Errorf("%s: value %+v, stages %+v, %d playbooks", name, pack.Value, pack.Model.Stages, len(pack.Playbooks))
		}
		packs[name] = pack
		for code := range p.codes() {
			missing[name+" "+code+" where it counts"], missing[name+" "+code+" where it does not"] = true, true
		}
	}
	for line := range strings.Lines(document(t, "testdata/packs.txt")) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		head, events, _ := strings.Cut(line, ": ")
		words := strings.Fields(head)
		pack := packs[words[0]]
		if pack == nil || len(words) != 4 {
			t.Fatalf("%s: not understood", line)
		}
		h := newPackStory(t, pack, events)
		code, want, got := words[1], 0.0, 0.0
		if words[2] == "floor" {
			want, got = amount(t, words[3]), h.floor(code)
		} else {
			want, got = amount(t, words[2]), h.add(t, code, amount(t, words[3]))
		}
		if math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: %v", line, got)
		}
		delete(missing, words[0]+" "+code+map[bool]string{true: " where it does not", false: " where it counts"}[want == 0])
	}
	for _, m := range slices.Sorted(maps.Keys(missing)) {
		t.Errorf("no line shows %s", m)
	}
}

// packStory is one customer of a pack and the effects of its events.
type packStory struct {
	pack     *pack.Pack
	scorer   *scoring.Scorer
	customer profile.Customer
	pop      profile.Population
	open     map[profile.Kind]uint8 // episodes other than lapses, by the opening whose floor applies
}

// packEvent is one event of a line.
type packEvent struct {
	day        float64
	eventType  string
	value      int64
	properties map[string]feature.Property
}

// newPackStory folds a line's events, after one activity that none of the pack's signals names.
func newPackStory(t *testing.T, pack *pack.Pack, line string) *packStory {
	t.Helper()
	p := scoringtest.Eligible()
	h := &packStory{
		pack:     pack,
		scorer:   scoring.NewScorer(pack),
		customer: profile.Customer{Profile: &p},
		open:     map[profile.Kind]uint8{},
	}
	for _, activity := range pack.Activity {
		if pack.Signal([]byte(activity)).Named == 0 {
			h.fold(packEvent{eventType: activity})
			break
		}
	}
	if h.customer.Visits == 0 {
		t.Fatalf("%s has no activity that is no signal", pack.Name)
	}
	var events []packEvent
	for part := range strings.SplitSeq(line, "; ") {
		events = append(events, parsePackEvents(t, pack, part)...)
	}
	slices.SortStableFunc(events, func(a, b packEvent) int { return cmp.Compare(a.day, b.day) })
	for _, e := range events {
		h.fold(e)
	}
	return h
}

func (h *packStory) fold(e packEvent) {
	var properties []feature.Property
	for _, path := range h.pack.Properties() {
		properties = append(properties, e.properties[path])
	}
	for _, d := range h.scorer.Observe(&h.customer, &h.pop, &scoring.Observation{
		Time: scoringtest.At(e.day), Signal: h.pack.Signal([]byte(e.eventType), properties...),
		Value: e.value, HasValue: e.value != 0, Properties: properties,
	}) {
		switch {
		case d.Kind == profile.Lapse:
		case d.Transition == scoring.Recovered:
			delete(h.open, d.Kind)
		default:
			h.open[d.Kind] = d.Opening
		}
	}
}

// add is what the factor of that code adds as of a day.
func (h *packStory) add(t *testing.T, code string, day float64) float64 {
	t.Helper()
	for _, f := range h.scorer.FactorsAt(&h.customer, scoringtest.At(day)) {
		if f.Code == code {
			return f.LogOdds
		}
	}
	t.Fatalf("%s has no factor %s", h.pack.Name, code)
	return 0
}

// floor is that of an open episode with that code, or 0.
func (h *packStory) floor(code string) float64 {
	for kind, opening := range h.open {
		if o := h.pack.Kinds[kind].Opens[opening]; o.Code == code {
			return o.Floor
		}
	}
	return 0
}

// parsePackEvents reads "days type {property=value ...} =money".
func parsePackEvents(t *testing.T, pack *pack.Pack, part string) (events []packEvent) {
	t.Helper()
	m := regexp.MustCompile(`^(\S+) ([^{=]+?)(?: \{([^}]*)\})?(?: =(\d+))?$`).FindStringSubmatch(part)
	if m == nil {
		t.Fatalf("%q: not understood", part)
	}
	e := packEvent{eventType: m[2], properties: map[string]feature.Property{}}
	if !pack.Signal([]byte(e.eventType)).Known {
		t.Fatalf("%s does not know %s", pack.Name, e.eventType)
	}
	for assignment := range strings.FieldsSeq(m[3]) {
		path, text, _ := strings.Cut(assignment, "=")
		e.properties[path] = property(text)
	}
	if m[4] != "" {
		e.value = int64(amount(t, m[4]))
	}
	for span := range strings.SplitSeq(m[1], "+") {
		first, last, step := span, span, "1"
		if a, b, ok := strings.Cut(span, ".."); ok {
			first, last = a, b
			if b, s, ok := strings.Cut(b, "/"); ok {
				last, step = b, s
			}
		}
		for e.day = amount(t, first); e.day <= amount(t, last); e.day += amount(t, step) {
			events = append(events, e)
		}
	}
	return events
}

// property is a number, true or false, or a text.
func property(text string) feature.Property {
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		return feature.Property{Kind: feature.PropertyNumber, Number: int64(math.Round(n * 1000))}
	}
	if text == "true" || text == "false" {
		return feature.Property{Kind: feature.PropertyBool, Number: map[string]int64{"true": 1}[text]}
	}
	return feature.TextProperty([]byte(text))
}

func amount(t *testing.T, text string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(fmt.Errorf("read number: %w", err))
	}
	return n
}
