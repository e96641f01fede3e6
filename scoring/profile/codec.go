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

// Layout of version 3, little endian. Parts in brackets stand there when their flag is set.
//
//	version, flags, ring state (ids while fewer than 16, else 16 + next slot)  3 bytes
//	Armed At                                                                   12
//	[activity] First Last Counted Level M K, Visits Episodes                   56
//	[gaps]     W Mu M2                                                         24
//	[friction] Friction                                                        8
//	[episode]  Sequence Since Tier                                             9
//	[back]     Back                                                            8
//	[probe]    Next Cell                                                       5
//	ids in the ring, in slot order                                             8 each
//	[generation] Generation                                                    1
//	[triggered]of each other kind: triggered.go                                3 to 237
//	state of the pack's features                                               the rest
const (
	headSize       = 15
	activitySize   = 56
	gapsSize       = 24
	frictionSize   = 8
	episodeSize    = 9
	backSize       = 8
	probeSize      = 5
	generationSize = 1
	maxSize        = headSize + activitySize + gapsSize + frictionSize + episodeSize + backSize + probeSize + 8*ringSize + generationSize
)

// Flags of a profile's parts.
const (
	hasActivity = 1 << iota
	hasGaps
	hasFriction
	hasEpisode
	hasTriggered
	hasBack
	isOnboarded // of no size
	hasProbe
)

// hasGeneration is a flag too, in the byte of the ring's state.
const hasGeneration = 1 << 7

// Append appends the encoding of c, in the newest version, to dst: 79 to 254 bytes for a customer with
// activity, and more where a pack declares kinds or features.
func Append(dst []byte, c *Customer) []byte {
	p := c.Profile
	n := len(dst)
	dst = append(dst, make([]byte, maxSize)...)
	b := dst[n:]
	b[0], b[1], b[2] = NewestVersion, p.flags(), p.IDs.state()
	binary.LittleEndian.PutUint32(b[3:], uint32(p.Armed))
	encode.PutInt(b[7:], p.At)
	at := headSize
	if p.Visits > 0 {
		putActivity(b[at:at+activitySize], p)
		at += activitySize
	}
	if p.W != 0 {
		encode.PutFloat(b[at:], p.W)
		encode.PutFloat(b[at+8:], p.Mu)
		encode.PutFloat(b[at+16:], p.M2)
		at += gapsSize
	}
	if p.Friction != 0 {
		encode.PutFloat(b[at:], p.Friction)
		at += frictionSize
	}
	if e := &p.Episode; e.Tier != TierNone {
		binary.LittleEndian.PutUint32(b[at:], e.Sequence)
		binary.LittleEndian.PutUint32(b[at+4:], uint32(e.Since))
		b[at+8] = byte(e.Tier)
		at += episodeSize
	}
	if p.Back != 0 {
		encode.PutInt(b[at:], p.Back)
		at += backSize
	}
	if p.Probe.Next != 0 {
		binary.LittleEndian.PutUint32(b[at:], p.Probe.Next)
		b[at+4] = p.Probe.Cell
		at += probeSize
	}
	for _, id := range p.IDs.slots[:p.IDs.used] {
		binary.LittleEndian.PutUint64(b[at:], id)
		at += 8
	}
	if p.Generation != 0 {
		b[2] |= hasGeneration
		b[at] = p.Generation
		at++
	}
	dst = dst[:n+at]
	if dst[n+1]&hasTriggered != 0 {
		for i := range p.Triggered {
			dst = p.Triggered[i].append(dst)
		}
	}
	return append(dst, c.Features...)
}

// Read decodes b, which holds one profile of any version and nothing else, into c's profile; c.Features then
// alias b, and whether they are the state of a pack's features Scorer.Fits tells. Whatever it accepts AppendAs
// encodes to the same bytes. After an error c holds nothing of use. Errors: ErrVersion, ErrDamaged.
func Read(b []byte, c *Customer) error {
	p := c.Profile
	*p, c.Features = Profile{}, nil
	switch {
	case len(b) == 0 || b[0] < OldestVersion:
		return fmt.Errorf("read profile of %d bytes: %w", len(b), ErrDamaged)
	case b[0] > NewestVersion:
		return fmt.Errorf("read profile of version %d, this build reads %d: %w", b[0], NewestVersion, ErrVersion)
	case len(b) < headSize || b[0] < NewestVersion && (b[1]&^olderFlags != 0 || b[2]&hasGeneration != 0):
		return fmt.Errorf("read profile of %d bytes: %w", len(b), ErrDamaged)
	}
	size := encodedSize(b[1], b[2])
	if size == 0 || size > len(b) || b[0] < NewestVersion && size != len(b) {
		return fmt.Errorf("read profile of %d bytes: %w", len(b), ErrDamaged)
	}
	p.decode(b[:size])
	if b[1]&hasTriggered != 0 {
		size += p.decodeTriggered(b[size:])
	}
	if p.flags() != b[1] || p.IDs.state() != b[2]&^hasGeneration || b[2]&hasGeneration != 0 && p.Generation == 0 || !p.valid() {
		return fmt.Errorf("read profile of %d bytes: %w", len(b), ErrDamaged)
	}
	c.Features = b[size:len(b):len(b)]
	return nil
}

// encodedSize is the size of a profile with these flags and this ring state, 0 where they mean nothing.
func encodedSize(flags, ring byte) int {
	more := int(ring >> 7)
	ring &^= hasGeneration
	if ring >= 2*ringSize {
		return 0
	}
	size := headSize + 8*int(min(ring, ringSize)) + more
	for i, part := range [...]int{activitySize, gapsSize, frictionSize, episodeSize, 0, backSize, 0, probeSize} {
		if flags&(1<<i) != 0 {
			size += part
		}
	}
	return size
}

// decode reads b, whose length is that of its flags.
func (p *Profile) decode(b []byte) {
	flags := b[1]
	p.IDs.restore(b[2] &^ hasGeneration)
	if b[2]&hasGeneration != 0 {
		p.Generation = b[len(b)-1]
	}
	p.Armed = int64(binary.LittleEndian.Uint32(b[3:]))
	p.At = encode.Int(b[7:])
	b = b[headSize:]
	if flags&hasActivity != 0 {
		getActivity(b, p)
		b = b[activitySize:]
	}
	if flags&hasGaps != 0 {
		p.W, p.Mu, p.M2 = encode.Float(b), encode.Float(b[8:]), encode.Float(b[16:])
		b = b[gapsSize:]
	}
	if flags&hasFriction != 0 {
		p.Friction = encode.Float(b)
		b = b[frictionSize:]
	}
	if flags&hasEpisode != 0 {
		p.Episode = Episode{
			Tier:     Tier(b[8]),
			Sequence: binary.LittleEndian.Uint32(b),
			Since:    int64(binary.LittleEndian.Uint32(b[4:])),
		}
		b = b[episodeSize:]
	}
	if flags&hasBack != 0 {
		p.Back = encode.Int(b)
		b = b[backSize:]
	}
	if flags&hasProbe != 0 {
		p.Probe = Probe{Next: binary.LittleEndian.Uint32(b), Cell: b[4]}
		b = b[probeSize:]
	}
	p.Onboarded = flags&isOnboarded != 0
	for i := range p.IDs.slots[:p.IDs.used] {
		p.IDs.slots[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
}

func putActivity(b []byte, p *Profile) {
	encode.PutInt(b, p.First)
	encode.PutInt(b[8:], p.Last)
	encode.PutInt(b[16:], p.Counted)
	encode.PutFloat(b[24:], p.Level)
	encode.PutFloat(b[32:], p.M)
	encode.PutFloat(b[40:], p.K)
	binary.LittleEndian.PutUint32(b[48:], p.Visits)
	binary.LittleEndian.PutUint32(b[52:], p.Episodes)
}

func getActivity(b []byte, p *Profile) {
	p.First, p.Last, p.Counted = encode.Int(b), encode.Int(b[8:]), encode.Int(b[16:])
	p.Level, p.M, p.K = encode.Float(b[24:]), encode.Float(b[32:]), encode.Float(b[40:])
	p.Visits = binary.LittleEndian.Uint32(b[48:])
	p.Episodes = binary.LittleEndian.Uint32(b[52:])
}

func (p *Profile) flags() byte {
	var f byte
	if p.Visits > 0 {
		f |= hasActivity
	}
	if p.W != 0 {
		f |= hasGaps
	}
	if p.Friction != 0 {
		f |= hasFriction
	}
	if p.Episode.Tier != TierNone {
		f |= hasEpisode
	}
	if p.Touched != 0 {
		f |= hasTriggered
	}
	if p.Back != 0 {
		f |= hasBack
	}
	if p.Onboarded {
		f |= isOnboarded
	}
	if p.Probe.Next != 0 {
		f |= hasProbe
	}
	return f
}

// decodeTriggered reads the states of the other kinds from the beginning of b, and returns their size. What is
// damaged leaves none.
func (p *Profile) decodeTriggered(b []byte) int {
	r := encode.NewReader(b)
	for i := range p.Triggered {
		p.Triggered[i].read(&r)
		p.Touch(Kind(i + 1))
	}
	if r.Damaged() {
		p.Triggered, p.Touched = [numTriggered]Triggered{}, 0
		return 0
	}
	return r.Offset()
}

// valid reports whether p is what a sequence of events within Max can have left.
func (p *Profile) valid() bool {
	e := &p.Episode
	times := 0 <= p.At && p.At <= moment.Max && 0 <= p.First && p.First <= p.Counted && p.Counted <= p.Last && p.Last <= p.At
	gaps := encode.Within(p.W, 0, maxWeight) && encode.Within(p.Mu, -MaxLnGap, MaxLnGap) && encode.Within(p.M2, 0, maxM2) && (p.W == 0) == (p.Visits < 2)
	law := p.Visits == 0 || encode.Within(p.M, -MaxLnGap, MaxLnGap) && encode.Within(p.K, MinRegularity, MaxRegularity) && encode.Within(p.Level, 0, MaxLevel)
	episode := e.Tier == TierNone ||
		(e.Tier == AtRisk || e.Tier == Critical) && e.Sequence > 0 && p.Episodes > 0 && p.Visits > 0
	for i := range p.Triggered {
		episode = episode && p.Triggered[i].valid()
	}
	back := 0 <= p.Back && p.Back <= p.Last
	probe := p.Probe == Probe{} || p.Visits > 0 && p.Probe.Next > 0 && p.Probe.Cell <= ScoreCells
	return times && gaps && law && encode.Within(p.Friction, 0, MaxFriction) && episode && back && probe
}
