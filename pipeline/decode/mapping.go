package decode

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"ebb/pipeline"
)

// MappingSpec is where the parts of an event lie in JSON of no known envelope, in the configuration's words. Its JSON
// is stored (see Text): names stay.
type MappingSpec struct {
	All bool `json:"all,omitempty"` // take every record, also one that an envelope claims

	Customer PartSpec `json:"customer,omitzero"`
	Type     PartSpec `json:"type,omitzero"`
	Time     PartSpec `json:"time,omitzero"`
	Value    PartSpec `json:"value,omitzero"`
	Currency PartSpec `json:"currency,omitzero"`
	ID       PartSpec `json:"id,omitzero"`
	Tenant   PartSpec `json:"tenant,omitzero"`

	TimeAs string `json:"time_as,omitempty"` // one of TimeForms
	// of times without an offset: UTC, a name such as Europe/Paris, or +02:00; "": they are unreadable
	TimeZone string `json:"time_zone,omitempty"`
	ValueAs  string `json:"value_as,omitempty"` // one of ValueForms
}

// PartSpec is where one part lies.
type PartSpec struct {
	Paths []string `json:"paths,omitempty"` // JSON pointers; the first that leads to a value counts
	// used where no path leads to a value; "": none. RecordTime for the time; the id has none
	Default string `json:"default,omitempty"`
}

// RecordTime as the default of the time is the record's own timestamp.
const RecordTime = "record"

// TimeForms are the forms of a time: of auto, RFC 3339 (and what else parseISO reads) and seconds or milliseconds since
// the epoch are told apart; the others are one each.
func TimeForms() []string {
	return []string{"auto", "rfc3339", "seconds", "milliseconds", "microseconds", "nanoseconds"}
}

// ValueForms are the forms of money: a decimal number in units of the currency, rounded to the minor unit, or a whole
// number of minor units.
func ValueForms() []string { return []string{"decimal", "minor"} }

// MappingFault is one thing wrong with a MappingSpec.
type MappingFault struct {
	Key  string // records, customer.path, type.default and the like
	Text string
}

// MappingFaults is everything wrong with a MappingSpec, as an error.
type MappingFaults []MappingFault

// Error lists the faults, one a line.
func (f MappingFaults) Error() string {
	lines := make([]string, len(f))
	for i := range f {
		lines[i] = f[i].Key + ": " + f[i].Text
	}
	return strings.Join(lines, "\n")
}

// Mapping is a MappingSpec compiled for decoding. It does not change, and any number of decoders share it.
type Mapping struct {
	all      bool
	root     mappedNode
	slots    int
	timeForm timeForm
	zone     *time.Location // of times without an offset; nil: they are unreadable
	minor    bool           // money is minor units
	stamped  bool           // an event without a time has the record's

	customer, kind, time, value, currency, id, tenant mappedPart
}

// mappedPart is where one part of the event lies.
type mappedPart struct {
	ends     []*mappedNode // of its paths, in their order
	fallback []byte        // its default; empty: none
}

// mappedNode is a place in the JSON that paths lead to or through. They form a tree, and the decoder follows the
// branches that a record has.
type mappedNode struct {
	name     string
	index    int           // of an array's element; -1: the name is no number
	children []*mappedNode // each name once
	ends     bool          // a path ends here,
	slot     int           // and its value is noted in this slot
	past     int           // the slots from slot to here belong to this node and those below it
}

// maxMappedPaths is how many paths a mapping may have: the decoder keeps a bit for each.
const maxMappedPaths = 64

// NewMapping compiles spec. The error is MappingFaults, with all of them.
func NewMapping(spec *MappingSpec) (*Mapping, error) {
	c := mappingCompiler{m: &Mapping{all: spec.All}}
	m := c.m
	m.customer = c.part("customer", &spec.Customer, pipeline.MaxCustomer, "/user/id")
	m.kind = c.part("type", &spec.Type, pipeline.MaxType, "/event")
	m.time = c.part("time", &spec.Time, 0, "/at")
	m.value = c.part("value", &spec.Value, maxNumber, "")
	m.currency = c.part("currency", &spec.Currency, 0, "")
	m.id = c.part("id", &spec.ID, 0, "")
	m.tenant = c.part("tenant", &spec.Tenant, pipeline.MaxTenant, "")
	c.time(spec)
	c.money(spec)
	if spec.ID.Default != "" {
		c.fault("id.default", "an id that is always the same makes each event a repeat of the one before")
	}
	if !spec.All && shadowed(spec) {
		c.fault(
			"records",
			"flat JSON claims every record that has customer, type and time at these paths, so that the mapping takes none; "+
				"write all, or leave the mapping out",
		)
	}
	if m.slots = m.root.number(0); m.slots > maxMappedPaths {
		c.fault("customer.path", "the mapping has %d paths, and %d is the most", m.slots, maxMappedPaths)
	}
	if len(c.faults) > 0 {
		return nil, c.faults
	}
	return m, nil
}

// takesAll reports whether the mapping takes records that an envelope claims; without a mapping it is false.
func (m *Mapping) takesAll() bool { return m != nil && m.all }

// shadowed reports whether flat JSON claims every record that the mapping could read.
func shadowed(spec *MappingSpec) bool {
	at := func(p *PartSpec, path string) bool {
		return p.Default == "" && len(p.Paths) == 1 && p.Paths[0] == path
	}
	return at(&spec.Customer, "/customer") && at(&spec.Type, "/type") && at(&spec.Time, "/time")
}

// mappingCompiler gathers faults while it compiles a mapping.
type mappingCompiler struct {
	m      *Mapping
	faults MappingFaults
}

func (c *mappingCompiler) fault(key, format string, args ...any) {
	c.faults = append(c.faults, MappingFault{key, fmt.Sprintf(format, args...)})
}

// part enters a part's paths into the tree. limit bounds its default, in bytes; 0: it is checked elsewhere. A part with
// an example is required.
func (c *mappingCompiler) part(name string, spec *PartSpec, limit int, example string) (p mappedPart) {
	for _, path := range spec.Paths {
		steps, err := parsePointer(path)
		if err != nil {
			c.fault(name+".path", "%s", err)
			continue
		}
		p.ends = append(p.ends, c.m.root.enter(steps))
	}
	p.fallback = []byte(spec.Default)
	switch {
	case example != "" && len(spec.Paths) == 0 && spec.Default == "":
		c.fault(
			name+".path",
			"a mapping has to say where the %s stands (a JSON pointer such as %s), or to give a default",
			name,
			example,
		)
	case limit > 0 && len(spec.Default) > limit:
		c.fault(name+".default", "is longer than %d bytes", limit)
	case !utf8.ValidString(spec.Default):
		c.fault(name+".default", "is not UTF-8")
	}
	return p
}

func (c *mappingCompiler) time(spec *MappingSpec) {
	form := slices.Index(TimeForms(), spec.TimeAs)
	if form < 0 {
		c.fault("time.as", "want one of %s, found %q", strings.Join(TimeForms(), ", "), spec.TimeAs)
	}
	c.m.timeForm = timeForm(max(form, 0))
	c.zone(spec.TimeZone)
	c.m.stamped = spec.Time.Default == RecordTime
	if d := spec.Time.Default; d != "" && !c.m.stamped {
		c.fault("time.default", "want %s, for the record's own timestamp, or nothing, found %q", RecordTime, d)
	}
	c.m.time.fallback = nil
}

// zone finds the zone of times without an offset.
func (c *mappingCompiler) zone(name string) {
	if name == "" {
		return
	}
	var err error
	if c.m.zone, err = loadZone(name); err != nil {
		c.fault("time.zone", "want UTC, a name such as Europe/Paris, or an offset such as +02:00; found %q", name)
	}
	if c.m.timeForm != formAuto && c.m.timeForm != formRFC3339 {
		c.fault("time.zone", "a number of %s since 1970 has no zone; leave it out", TimeForms()[c.m.timeForm])
	}
}

func (c *mappingCompiler) money(spec *MappingSpec) {
	form := slices.Index(ValueForms(), spec.ValueAs)
	if form < 0 {
		c.fault("value.as", "want one of %s, found %q", strings.Join(ValueForms(), ", "), spec.ValueAs)
	}
	c.m.minor = form > 0
	const mostDecimals = 4
	d := []byte(spec.Value.Default)
	if _, ok := c.m.money(d, mostDecimals); len(d) > 0 && len(d) <= maxNumber && !ok {
		c.fault(
			"value.default",
			"want a %s, found %q",
			map[bool]string{false: "decimal number", true: "whole number of minor units"}[c.m.minor],
			d,
		)
	}
	d = []byte(spec.Currency.Default)
	if _, ok := parseCurrency(d); len(d) > 0 && !ok {
		c.fault("currency.default", "want three letters such as EUR, found %q", d)
	}
}

// money reads an amount in the mapping's form.
func (m *Mapping) money(s []byte, decimals int) (minor int64, ok bool) {
	if m.minor {
		return parseMoney(s, 0, false)
	}
	return parseMoney(s, decimals, true)
}

// enter marks the node at the end of steps, from n on, as the end of a path.
func (n *mappedNode) enter(steps []string) *mappedNode {
	for _, step := range steps {
		child := n.member([]byte(step))
		if child == nil {
			child = &mappedNode{name: step, index: elementIndex(step)}
			n.children = append(n.children, child)
		}
		n = child
	}
	n.ends = true
	return n
}

// number assigns slots to n and the nodes below it, from first on, and returns the next free one.
func (n *mappedNode) number(first int) (past int) {
	n.slot, past = first, first
	if n.ends {
		past++
	}
	for _, child := range n.children {
		past = child.number(past)
	}
	n.past = past
	return past
}

// member is the node of an object's member, nil where no path leads there.
func (n *mappedNode) member(name []byte) *mappedNode {
	for _, child := range n.children {
		if string(name) == child.name {
			return child
		}
	}
	return nil
}

// element is the node of an array's element, nil where no path leads there.
func (n *mappedNode) element(index int) *mappedNode {
	for _, child := range n.children {
		if index == child.index {
			return child
		}
	}
	return nil
}
