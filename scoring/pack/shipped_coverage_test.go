package pack_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"ebb/scoring/pack"
	"ebb/scoring/scoringtest"
)

// packText is a pack in the words of its file, as far as documents name them.
type packText struct {
	Activity []string
	Friction map[string]float64
	Signals  map[string]struct {
		Types []string
		Where []struct{ Property string }
	}
	Features  map[string]struct{ Property string }
	Carry     map[string]struct{ Property string }
	Factors   []struct{ Code string }
	Kinds     map[string]struct{ Opens []struct{ Code string } }
	Stages    map[string]any
	Playbooks []struct{ High, Mid, Low struct{ ID string } }
}

// names are sets of a pack's names, for documents to list.
type names map[string]bool

func (n names) add(all ...string) {
	for _, s := range all {
		if s != "" {
			n[s] = true
		}
	}
}

// verticals reads the shipped packs that declare more than the core needs.
func verticals(t *testing.T) map[string]*packText {
	t.Helper()
	packs := map[string]*packText{}
	for _, name := range pack.Shipped() {
		p := &packText{}
		if err := yaml.Unmarshal([]byte(document(t, "packs/"+name+".yaml")), p); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(p.Factors) > 0 {
			packs[name] = p
		}
	}
	return packs
}

func document(t *testing.T, path string) string {
	t.Helper()
	return string(scoringtest.Must(os.ReadFile(path)))
}

// plays are the ids of the pack's playbooks.
func (p *packText) plays() names {
	n := names{}
	for _, b := range p.Playbooks {
		n.add(b.High.ID, b.Mid.ID, b.Low.ID)
	}
	return n
}

// codes are the reasons of the pack's factors and floors.
func (p *packText) codes() names {
	n := names{}
	for _, f := range p.Factors {
		n.add(f.Code)
	}
	for _, k := range p.Kinds {
		for _, o := range k.Opens {
			n.add(o.Code)
		}
	}
	return n
}

// items are all names that the pack declares.
func (p *packText) items() names {
	n := names{}
	n.add("activity", "friction", "factors", "kinds", "playbooks", "value", "horizon", "tiers")
	n.add(slices.Collect(maps.Keys(p.Signals))...)
	n.add(slices.Collect(maps.Keys(p.Features))...)
	n.add(slices.Collect(maps.Keys(p.Kinds))...)
	n.add(slices.Collect(maps.Keys(p.Stages))...)
	maps.Copy(n, p.codes())
	maps.Copy(n, p.plays())
	return n
}

// types are the event types that the pack names.
func (p *packText) types() names {
	n := names{}
	n.add(p.Activity...)
	n.add(slices.Collect(maps.Keys(p.Friction))...)
	for _, s := range p.Signals {
		n.add(s.Types...)
	}
	return n
}

// properties are those that the pack reads.
func (p *packText) properties() names {
	n := names{}
	for _, s := range p.Signals {
		for _, w := range s.Where {
			n.add(w.Property)
		}
	}
	for _, f := range p.Features {
		n.add(f.Property)
	}
	for _, c := range p.Carry {
		n.add(c.Property)
	}
	return n
}

// quoted are the words in backticks.
func quoted(text string) (all []string) {
	for i, part := range strings.Split(text, "`") {
		if i%2 == 1 {
			all = append(all, part)
		}
	}
	return all
}

// rowsOf are the cells of a document's tables, without heads and rules.
func rowsOf(text string) (rows [][]string) {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		head := i+1 < len(lines) && strings.HasPrefix(lines[i+1], "|---")
		if cells := strings.Split(line, "|"); len(cells) > 2 && !head && !strings.HasPrefix(line, "|---") {
			rows = append(rows, cells[1:len(cells)-1])
		}
	}
	return rows
}

// reasonsOfAll are the codes of the reasons that alerts of every pack can have.
func reasonsOfAll() names {
	n := names{}
	n.add(pack.ReasonOverdue, pack.ReasonSuchSilences, pack.ReasonFewSilences, pack.ReasonLittleActivity,
		pack.ReasonNewCustomer, pack.ReasonFriction, pack.ReasonBack, pack.ReasonStayed, pack.ReasonPaid,
		pack.ReasonSettled, pack.ReasonRanOut, pack.ReasonConverted, pack.ReasonGone,
		pack.ReasonCorrected)
	return n
}

// core are the names that a document may use for the common parts of all packs.
func core() names {
	n := names{}
	n.add("base", "rhythm", "silence", "level", "tenure", "friction")
	maps.Copy(n, reasonsOfAll())
	return n
}

// TestCoverage: everything that docs/packs-coverage.md names exists, and it names every factor, floor and playbook.
func TestCoverage(t *testing.T) {
	packs := verticals(t)
	named := map[string]names{}
	for pack := range packs {
		named[pack] = names{}
	}
	known := core()
	rows := rowsOf(document(t, "../../docs/packs-coverage.md"))
	if len(rows) < 100 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, row := range rows {
		for part := range strings.SplitSeq(row[1], ";") {
			where, what, ok := strings.Cut(part, ":")
			words := strings.Fields(where)
			if !ok || len(words) == 0 {
				t.Errorf("%s: %q names no place", row[0], part)
				continue
			}
			switch place := words[len(words)-1]; {
			case place == "elsewhere":
			case place == "core":
				for _, item := range quoted(what) {
					if !known[item] {
						t.Errorf("%s: the core has no %s", row[0], item)
					}
				}
			case place == "all":
				for _, item := range quoted(what) {
					for pack, p := range packs {
						if !p.items()[item] && !known[item] {
							t.Errorf("%s: %s has no %s", row[0], pack, item)
						}
						named[pack].add(item)
					}
				}
			case packs[place] != nil:
				for _, item := range quoted(what) {
					if !packs[place].items()[item] {
						t.Errorf("%s: %s has no %s", row[0], place, item)
					}
					named[place].add(item)
				}
			default:
				t.Errorf("%s: %q is no pack", row[0], place)
			}
			if len(quoted(what)) == 0 && !strings.Contains(where, "elsewhere") {
				t.Errorf("%s: %q names nothing", row[0], part)
			}
		}
	}
	for pack, p := range packs {
		all := p.codes()
		maps.Copy(all, p.plays())
		for _, item := range slices.Sorted(maps.Keys(all)) {
			if !named[pack][item] {
				t.Errorf("%s of %s is not in the document", item, pack)
			}
		}
	}
}

// TestPlaybooksDocument: docs/playbooks.md describes each play of the shipped packs, and no other.
func TestPlaybooksDocument(t *testing.T) {
	used, told := names{}, names{}
	for _, p := range verticals(t) {
		maps.Copy(used, p.plays())
	}
	intents := map[string]string{}
	for _, name := range pack.Shipped() {
		k := scoringtest.Must(pack.Load(name, nil, pack.Overrides{}))
		for i := range k.Playbooks {
			for _, play := range k.Playbooks[i].Plays {
				if other, ok := intents[play.ID]; ok && other != play.Intent {
					t.Errorf("%s is for %s and for %s", play.ID, play.Intent, other)
				}
				intents[play.ID] = play.Intent
			}
		}
	}
	var listed []string
	for _, row := range rowsOf(document(t, "../../docs/playbooks.md")) {
		id := quoted(row[0])[0]
		if len(row) == 2 {
			listed = append(listed, id)
			continue
		}
		if told[id] {
			t.Errorf("%s stands there twice", id)
		}
		if told.add(id); quoted(row[1])[0] != intents[id] {
			t.Errorf("%s: is for %s, not for %s", id, intents[id], row[1])
		}
	}
	if diff := cmp.Diff(pack.Intents(), listed); diff != "" {
		t.Errorf("intents (-) and those of the document (+):\n%s", diff)
	}
	if diff := cmp.Diff(used, told); diff != "" {
		t.Errorf("plays of the packs (-) and of the document (+):\n%s", diff)
	}
}

// TestEventsOfThePacks: docs/events.md lists every event and property that a shipped pack reads, and no other event.
func TestEventsOfThePacks(t *testing.T) {
	_, text, ok := strings.Cut(document(t, "../../docs/events.md"), "\n## Events of the packs\n")
	if !ok {
		t.Fatal("no such heading")
	}
	text, _, _ = strings.Cut(text, "\n## ")
	packs := verticals(t)
	sections := strings.Split(text, "\n### ")[1:]
	if len(sections) != len(packs)+1 {
		t.Fatalf("%d sections, want one for each pack and one for all", len(sections))
	}
	read := func(section string) (events, properties names) {
		events, properties = names{}, names{}
		for _, row := range rowsOf(section) {
			events.add(quoted(row[0])...)
			properties.add(quoted(row[2])...)
		}
		return events, properties
	}
	shared, sharedProperties := read(sections[0])
	unread := maps.Clone(shared)
	for _, section := range sections[1:] {
		pack, _, _ := strings.Cut(section, "\n")
		p := packs[pack]
		if p == nil {
			t.Fatalf("%q is no pack", pack)
		}
		events, properties := read(section)
		for e := range p.types() {
			if !events[e] && !shared[e] {
				t.Errorf("%s: nothing of %s", pack, e)
			}
			delete(unread, e)
		}
		for e := range events {
			if !p.types()[e] {
				t.Errorf("%s: tells of %s, which the pack does not know", pack, e)
			}
		}
		for property := range p.properties() {
			if !properties[property] && !sharedProperties[property] {
				t.Errorf("%s: nothing of the property %s", pack, property)
			}
		}
	}
	for e := range unread {
		t.Errorf("tells of %s, which no pack knows", e)
	}
}

// TestReasonSentences: every code of the catalogue is used, and the numbers for its sentence exist for any customer.
func TestReasonSentences(t *testing.T) {
	used, ofTheCore := reasonsOfAll(), reasonsOfAll()
	for _, p := range verticals(t) {
		maps.Copy(used, p.codes())
	}
	sentences := map[string]string{}
	if err := yaml.UnmarshalWithOptions([]byte(document(t, "reasons/en.yaml")), &sentences, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	placeholder := regexp.MustCompile(`\{([^}]*)\}`)
	codes, said := names{}, map[string]string{}
	for key, sentence := range sentences {
		code, variant, _ := strings.Cut(key, ".")
		if slices.Contains([]string{"ago", "unit", "every", "number", "times", "whose", "date"}, code) {
			continue // words
		}
		if variant == "" {
			codes.add(code)
		} else if sentences[code] == "" {
			t.Errorf("%s is another sentence for nothing", key)
		}
		if earlier, ok := said[sentence]; ok {
			t.Errorf("%s and %s have one sentence", key, earlier)
		}
		said[sentence] = key
		if sentence == "" || strings.ContainsAny(sentence, "\"\\\n<>&") || strings.HasSuffix(sentence, ".") ||
			sentence != strings.TrimSpace(sentence) {
			t.Errorf("%s: %q does not fit behind a name", key, sentence)
		}
		if first := sentence[:1]; first != strings.ToLower(first) {
			t.Errorf("%s: %q begins a sentence", key, sentence)
		}
		allowed := []string{"value", "times", "ago", "within"}
		if ofTheCore[code] {
			allowed = []string{
				"typical", "silent", "tenure", "active", "away", "return", "visits", "event", "on", "opened", "silences", "whose",
				"share",
				"horizon",
			}
		}
		for _, m := range placeholder.FindAllStringSubmatch(sentence, -1) {
			if !slices.Contains(allowed, m[1]) {
				t.Errorf("%s: no number is called %s, there are %v", key, m[1], allowed)
			}
		}
	}
	if diff := cmp.Diff(used, codes); diff != "" {
		t.Errorf("codes of core and packs (-) and of the catalogue (+):\n%s", diff)
	}
}
