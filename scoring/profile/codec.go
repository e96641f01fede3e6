package profile

import (
	"encoding/binary"
	"errors"
	"fmt"

	"ebb/scoring/encode"
	"ebb/scoring/moment"
)

// Errors of Read. Branch on them with errors.Is.
var (
	// ErrVersion: a newer build wrote the profile.
	ErrVersion = errors.New("profile of a newer version")

	// ErrDamaged: no build wrote these bytes.
	ErrDamaged = errors.New("profile damaged")
)

// layout is the first byte of a profile. The second is the number of sections after it, so that none can be cut off.
const layout = 4

// Formats of the state, which the members of a group agree on. A section is written from that format on which
// introduced it, so that a build of the format before can read what one of the next writes.
const (
	OldestFormat = 4
	Format       = 4
)

// section is a stored part of a profile. A tag is never used again for something else.
type section byte

// Sections, in the order in which they are written. New state of a customer gets a section of its own: its tag here,
// its first format in formats, its encoding in appendSection, its decoding in readSection.
//
//	 1 clock       Armed 4, At 6
//	 2 activity    First Last Counted 6 each, Level M K 8 each, Visits 4
//	 3 gaps        W Mu M2 8 each
//	 4 friction    Friction 8
//	 5 lapse       Number 4; of an open one Sequence 4, minute of its last transition 4, Tier 1
//	 6 stage       Back 6, Onboarded 1
//	 7 probe       Next 4, Cell 1; of a pending one Class 1
//	 8 ids         number of ids while fewer than 16, else 16 + next slot: 1; ids in slot order, 8 each
//	 9 pack        PackEpoch 1
//	10 explicit, 11 involuntary, 12 service failure: triggered.go
//	13 features    state of the pack's features
//	14 withheld    Withheld 1
//	15 eligible    Eligible 1
//	16 money       Money: money.go
//	17 plays       play.go
//	18 facts       Facts
//	19 awaited     Since 6, minute of RaisedAt 4; once the episode has ended Sequence 4
//	20 opened      kinds with an open episode, a bit each, 1; Opened of each 6
//	21 trouble     trouble.go
//	25 source      source.go
//	28 contact     Contact
//	29 course      course.go
//	31 holdout     holdout.go
const (
	clock          section = 1
	activity       section = 2
	gaps           section = 3
	friction       section = 4
	lapse          section = 5
	stage          section = 6
	probe          section = 7
	ids            section = 8
	packEpoch      section = 9
	explicit       section = 10
	involuntary    section = 11
	serviceFailure section = 12
	features       section = 13
	withheld       section = 14
	eligible       section = 15
	money          section = 16
	plays          section = 17
	facts          section = 18
	awaited        section = 19
	opened         section = 20
	trouble        section = 21
	source         section = 25
	contact        section = 28
	course         section = 29
	holdout        section = 31

	numSections = holdout
)

// formats is the first format of each section.
var formats = [...]int{
	clock: 4, activity: 4, gaps: 4, friction: 4, lapse: 4, stage: 4, probe: 4, ids: 4, packEpoch: 4,
	explicit: 4, involuntary: 4, serviceFailure: 4, features: 4, withheld: 4,
	eligible: 4, money: 4, plays: 4, facts: 4, awaited: 4, opened: 4, trouble: 4, source: 4,
	contact: 4, course: 4,
	holdout: 4,
}

// appendSection appends the content of a section; nothing for the zero value. (With a table of functions the arguments
// would escape to the heap.)
func appendSection(dst []byte, s section, c *Customer) []byte {
	switch s {
	case clock:
		return appendClock(dst, c)
	case activity:
		return appendActivity(dst, c)
	case gaps:
		return appendGaps(dst, c)
	case friction:
		return appendFriction(dst, c)
	case lapse:
		return appendLapse(dst, c)
	case stage:
		return appendStage(dst, c)
	case probe:
		return appendProbe(dst, c)
	case ids:
		return appendIDs(dst, c)
	case packEpoch:
		return appendPack(dst, c)
	case explicit, involuntary, serviceFailure:
		return appendTriggered(dst, Explicit+Kind(s-explicit), c)
	case features:
		return append(dst, c.Features...)
	case withheld:
		return appendWithheld(dst, c)
	case eligible:
		return appendEligible(dst, c)
	case plays:
		return appendPlays(dst, c)
	case facts:
		return append(dst, c.Facts...)
	case awaited:
		return appendAwaited(dst, c)
	case money:
		return c.Money.Append(dst)
	case opened:
		return appendOpened(dst, c)
	case trouble:
		return appendTrouble(dst, c)
	case source:
		return appendSource(dst, c)
	case contact:
		return append(dst, c.Contact...)
	case course:
		return appendCourse(dst, c)
	case holdout:
		return appendHoldout(dst, c)
	}
	panic("BUG: a section without a form")
}

// readSection reads a section. It is false for bytes that Append would not have written.
func readSection(r *encode.Reader, s section, c *Customer) bool {
	switch s {
	case clock:
		return readClock(r, c)
	case activity:
		return readActivity(r, c)
	case gaps:
		return readGaps(r, c)
	case friction:
		return readFriction(r, c)
	case lapse:
		return readLapse(r, c)
	case stage:
		return readStage(r, c)
	case probe:
		return readProbe(r, c)
	case ids:
		return readIDs(r, c)
	case packEpoch:
		return readPack(r, c)
	case explicit, involuntary, serviceFailure:
		return readTriggered(r, Explicit+Kind(s-explicit), c)
	case features:
		c.Features = r.Fixed(len(r.Rest()))
		return true
	case withheld:
		return readWithheld(r, c)
	case eligible:
		return readEligible(r, c)
	case plays:
		return readPlays(r, c)
	case facts:
		c.Facts = r.Fixed(len(r.Rest()))
		return c.Facts.Valid()
	case awaited:
		return readAwaited(r, c)
	case money:
		return c.Money.Read(r)
	case opened:
		return readOpened(r, c)
	case trouble:
		return readTrouble(r, c)
	case source:
		return readSource(r, c)
	case contact:
		c.Contact = r.Fixed(len(r.Rest()))
		return c.Contact.Valid()
	case course:
		return readCourse(r, c)
	case holdout:
		return readHoldout(r, c)
	}
	panic("BUG: a section without a form")
}

// Append appends the encoding of c in a format to dst.
func Append(dst []byte, c *Customer, format int) []byte { return appendKnown(dst, c, format, &formats) }

func appendKnown(dst []byte, c *Customer, format int, since *[numSections + 1]int) []byte {
	begin := len(dst)
	dst = append(dst, layout, 0)
	for s := section(1); s <= numSections; s++ {
		if since[s] == 0 || since[s] > format {
			continue
		}
		var at int
		dst, at = encode.BeginSection(dst, byte(s))
		if dst = encode.EndSection(appendSection(dst, s, c), at); len(dst) > at {
			dst[begin+1]++
		}
	}
	return dst
}

// Read decodes b, which holds one profile and nothing else, into c's profile; c.Features, c.Facts and c.Contact then alias b, and
// Scorer.Fits checks whether the features are the state of a pack's. Append encodes everything that Read accepts to the
// same bytes. After an error c holds nothing of use. Errors: ErrVersion, ErrDamaged.
func Read(b []byte, c *Customer) error { return readKnown(b, c, numSections) }

func readKnown(b []byte, c *Customer, newest section) error {
	*c.Profile, c.Features, c.Facts, c.Contact = Profile{}, nil, nil, nil
	if len(b) < 2 || b[0] < layout {
		return fmt.Errorf("read profile of %d bytes: %w", len(b), ErrDamaged)
	}
	if b[0] > layout {
		return fmt.Errorf("read profile of layout %d, this build reads %d: %w", b[0], layout, ErrVersion)
	}
	left, before := b[1], section(0)
	for rest := b[2:]; len(rest) > 0; left-- {
		tag, body, behind, ok := encode.NextSection(rest)
		s := section(tag)
		if !ok || s <= before {
			return fmt.Errorf("read profile of %d bytes: %w", len(b), ErrDamaged)
		}
		if s > newest || formats[s] == 0 {
			return fmt.Errorf("read section %d of a profile: %w", tag, ErrVersion)
		}
		r := encode.NewReader(body)
		if !readSection(&r, s, c) || !r.Whole() {
			return fmt.Errorf("read section %d of a profile: %w", tag, ErrDamaged)
		}
		before, rest = s, behind
	}
	if left != 0 || !c.valid() {
		return fmt.Errorf("read profile of %d bytes: %w", len(b), ErrDamaged)
	}
	return nil
}

func appendClock(dst []byte, c *Customer) []byte {
	if c.Armed == 0 && c.At == 0 {
		return dst
	}
	return encode.AppendTime(binary.LittleEndian.AppendUint32(dst, uint32(c.Armed)), c.At)
}

func readClock(r *encode.Reader, c *Customer) bool {
	c.Armed, c.At = int64(r.Uint32()), r.Time()
	return c.Armed != 0 || c.At != 0
}

func appendActivity(dst []byte, c *Customer) []byte {
	if c.Visits == 0 {
		return dst
	}
	dst = encode.AppendTime(encode.AppendTime(encode.AppendTime(dst, c.First), c.Last), c.Counted)
	dst = encode.AppendFloat(encode.AppendFloat(encode.AppendFloat(dst, c.Level), c.M), c.K)
	return binary.LittleEndian.AppendUint32(dst, c.Visits)
}

func readActivity(r *encode.Reader, c *Customer) bool {
	c.First, c.Last, c.Counted = r.Time(), r.Time(), r.Time()
	c.Level, c.M, c.K = r.Float(), r.Float(), r.Float()
	c.Visits = r.Uint32()
	return c.Visits != 0
}

func appendGaps(dst []byte, c *Customer) []byte {
	if c.W == 0 {
		return dst
	}
	return encode.AppendFloat(encode.AppendFloat(encode.AppendFloat(dst, c.W), c.Mu), c.M2)
}

func readGaps(r *encode.Reader, c *Customer) bool {
	c.W, c.Mu, c.M2 = r.Float(), r.Float(), r.Float()
	return c.W != 0
}

func appendFriction(dst []byte, c *Customer) []byte {
	if c.Friction == 0 {
		return dst
	}
	return encode.AppendFloat(dst, c.Friction)
}

func readFriction(r *encode.Reader, c *Customer) bool {
	c.Friction = r.Float()
	return c.Friction != 0
}

func appendLapse(dst []byte, c *Customer) []byte {
	e := &c.Lapse
	if *e == (LapseEpisode{}) {
		return dst
	}
	if dst = binary.LittleEndian.AppendUint32(dst, e.Number); !e.Open() && e.Tier == TierNone {
		return dst
	}
	dst = binary.LittleEndian.AppendUint32(dst, e.Sequence)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(e.LastTransition/moment.MinuteMillis))
	return append(dst, byte(e.Tier))
}

func readLapse(r *encode.Reader, c *Customer) bool {
	e := &c.Lapse
	if e.Number = r.Uint32(); r.More() {
		e.Sequence, e.LastTransition, e.Tier = r.Uint32(), int64(r.Uint32())*moment.MinuteMillis, Tier(r.Byte())
		return e.Number != 0 && e.Open()
	}
	return e.Number != 0
}

func appendStage(dst []byte, c *Customer) []byte {
	if c.Back == 0 && !c.Onboarded {
		return dst
	}
	return encode.AppendBool(encode.AppendTime(dst, c.Back), c.Onboarded)
}

func readStage(r *encode.Reader, c *Customer) bool {
	c.Back, c.Onboarded = r.Time(), r.Bool()
	return c.Back != 0 || c.Onboarded
}

func appendProbe(dst []byte, c *Customer) []byte {
	if c.Probe.Next == 0 {
		return dst
	}
	dst = append(binary.LittleEndian.AppendUint32(dst, c.Probe.Next), c.Probe.Cell)
	if c.Probe.Class == 0 {
		return dst
	}
	return append(dst, c.Probe.Class)
}

func readProbe(r *encode.Reader, c *Customer) bool {
	if c.Probe = (Probe{Next: r.Uint32(), Cell: r.Byte()}); r.More() {
		c.Probe.Class = r.Byte()
		return c.Probe.Next != 0 && c.Probe.Class != 0
	}
	return c.Probe.Next != 0
}

func appendIDs(dst []byte, c *Customer) []byte {
	if c.IDs.used == 0 {
		return dst
	}
	dst = append(dst, c.IDs.state())
	for _, id := range c.IDs.slots[:c.IDs.used] {
		dst = binary.LittleEndian.AppendUint64(dst, id)
	}
	return dst
}

func readIDs(r *encode.Reader, c *Customer) bool {
	state := r.Byte()
	if state == 0 || state >= 2*ringSize {
		return false
	}
	c.IDs.restore(state)
	for i := range c.IDs.slots[:c.IDs.used] {
		c.IDs.slots[i] = r.Uint64()
	}
	return true
}

func appendPack(dst []byte, c *Customer) []byte {
	if c.PackEpoch == 0 {
		return dst
	}
	return append(dst, c.PackEpoch)
}

func readPack(r *encode.Reader, c *Customer) bool {
	c.PackEpoch = r.Byte()
	return c.PackEpoch != 0
}

func appendTriggered(dst []byte, n Kind, c *Customer) []byte {
	if c.Touched&(1<<n) == 0 {
		return dst
	}
	return c.EpisodeOf(n).append(dst)
}

func readTriggered(r *encode.Reader, n Kind, c *Customer) bool {
	c.EpisodeOf(n).read(r)
	c.Touch(n)
	return c.Touched&(1<<n) != 0
}

// readKinds reads a set of kinds, a bit each in a byte; empty where the byte is none, or holds nothing.
func readKinds(r *encode.Reader) KindSet {
	if set := KindSet(r.Byte()); set < 1<<NumKinds {
		return set
	}
	return 0
}

func appendWithheld(dst []byte, c *Customer) []byte {
	if c.Withheld == 0 {
		return dst
	}
	return append(dst, byte(c.Withheld))
}

func readWithheld(r *encode.Reader, c *Customer) bool {
	c.Withheld = readKinds(r)
	return c.Withheld != 0
}

func appendEligible(dst []byte, c *Customer) []byte {
	if !c.Eligible {
		return dst
	}
	return encode.AppendBool(dst, c.Eligible)
}

func readEligible(r *encode.Reader, c *Customer) bool {
	c.Eligible = r.Bool()
	return c.Eligible
}

func appendOpened(dst []byte, c *Customer) []byte {
	begin := len(dst)
	for n := range (c.Touched | 1<<Lapse).All {
		e := c.Episode(n)
		if e.Opened == 0 {
			continue
		}
		if len(dst) == begin {
			dst = append(dst, 0)
		}
		dst[begin] |= 1 << n
		dst = encode.AppendTime(dst, e.Opened)
	}
	return dst
}

func readOpened(r *encode.Reader, c *Customer) bool {
	set := readKinds(r)
	for n := range set.All {
		e := c.Episode(n)
		if e.Opened = r.Time(); e.Opened == 0 || e.Opened > e.LastTransition || !e.Open() {
			return false
		}
	}
	return set != 0
}

func appendAwaited(dst []byte, c *Customer) []byte {
	a := &c.Awaited
	if a.RaisedAt == 0 {
		return dst
	}
	dst = binary.LittleEndian.AppendUint32(encode.AppendTime(dst, a.Since), uint32(a.RaisedAt/moment.MinuteMillis))
	if a.Sequence != 0 {
		dst = binary.LittleEndian.AppendUint32(dst, a.Sequence)
	}
	return dst
}

func readAwaited(r *encode.Reader, c *Customer) bool {
	a := &c.Awaited
	a.Since, a.RaisedAt = r.Time(), int64(r.Uint32())*moment.MinuteMillis
	if r.More() {
		a.Sequence = r.Uint32()
		return a.Sequence != 0 && a.RaisedAt != 0
	}
	return a.RaisedAt != 0
}

// valid reports whether p is a possible result of a sequence of events within Max.
func (p *Profile) valid() bool {
	e := &p.Lapse
	times := 0 <= p.At && p.At <= moment.Max && 0 <= p.First && p.First <= p.Counted && p.Counted <= p.Last &&
		p.Last <= p.At
	gaps := encode.Within(p.W, 0, maxWeight) && encode.Within(p.Mu, -MaxLnGap, MaxLnGap) &&
		encode.Within(p.M2, 0, maxM2) &&
		(p.W == 0) == (p.Visits < 2)
	law := p.Visits == 0 ||
		encode.Within(p.M, -MaxLnGap, MaxLnGap) && encode.Within(p.K, MinRegularity, MaxRegularity) &&
			encode.Within(p.Level, 0, MaxLevel)
	episode := e.Tier == TierNone && !e.Open() && e.LastTransition == 0 ||
		Watch <= e.Tier && e.Tier < NumTiers && e.Open() && e.Number > 0 && p.Visits > 0
	for i := range p.Triggered {
		episode = episode && p.Triggered[i].valid()
	}
	back := 0 <= p.Back && p.Back <= p.Last
	a := &p.Awaited
	awaits := *a == Awaited{} || 0 <= a.Since && a.Since <= a.RaisedAt && a.RaisedAt <= moment.Max && e.Number > 0 &&
		(a.Sequence == 0) == e.Open()
	probe := p.Probe == Probe{} || p.Visits > 0 && p.Probe.Next > 0 && p.Probe.Cell <= ScoreCells &&
		p.Probe.Class <= uint8(NumClasses) && (p.Probe.Class == 0 || p.Probe.Cell > 0)
	return times && gaps && law && encode.Within(p.Friction, 0, MaxFriction) && episode && back && probe && awaits &&
		p.Trouble.valid() && p.validPlays() && p.validCourse()
}
