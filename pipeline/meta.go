package pipeline

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"ebb/pipeline/sources"
	"ebb/scoring/encode"
	"ebb/scoring/model"
	"ebb/scoring/profile"
)

// MetaVersion is the layout of everything a partition keeps in the store.
const MetaVersion = 2

// Meta is the part of a commit that holds the partition's position. It is one value, written whole with each commit.
type Meta struct {
	Version    int                // layout of everything under this partition
	Format     int                // that all members of the group read, not stored; 0: this build's. See profile.Format
	Next       int64              // offset of the next record to fold (R)
	Clock      Clock              // watermark and how far deadlines have fired
	Population profile.Population // running moments of this partition's customers
	Poison     Poison
	Learnt     model.Calibration // from probes
	Pack       string            // hash of the newest pack; empty: see the control records
	Packs      []PackRef         // in the order in which they began; none: the one of Pack, not announced yet
	Partitions int               // of the input topic: with another count customers change partitions
	Cluster    string            // Kafka cluster id
	Topic      string            // input topic's id, which a re-created topic does not share
	Settings   Settings          // in force
	Holds      Holdings          // what the store holds as of this commit
	Ineligible int64             // customers with state whom the pack does not alert about yet
	First      FirstStart        // history, and what was decided in it
	Buckets    Buckets           // due buckets that the store holds as of this commit
	Sources    sources.Table     // of its events
	Storms     Storms            // lapses raised by the hour
	Erased     Erasures          // customers who were erased
	Passed     Passed            // time without records
	Silences   Silences          // that hold raises back
	Lanes      Lanes             // what is spent and granted of budgets
	WallMillis int64             // our clock at this commit, for idle partitions and for people
}

// Clone is a copy that later folding does not change.
func (m *Meta) Clone() Meta {
	c := *m
	c.Clock, c.Packs, c.Buckets = m.Clock.Clone(), slices.Clip(m.Packs), slices.Clone(m.Buckets)
	c.Sources, c.Storms, c.Silences = m.Sources.Clone(), m.Storms.Clone(), slices.Clone(m.Silences)
	c.Lanes = m.Lanes.Clone()
	return c
}

// Complete fills in the parts of a commit's meta that the line does not decide. before is that of the commit before.
func (m *Meta) Complete(id Identity, before *Meta, now time.Time) {
	m.Version, m.Partitions, m.Cluster, m.Topic = MetaVersion, id.Partitions, id.Cluster, id.Topic
	m.WallMillis = now.UnixMilli()
	m.Passed.Live = before.Passed.Live || m.Current() || m.seldom()
}

// metaSection is a stored part of a Meta. A tag is never used again for something else.
type metaSection struct {
	tag    byte
	since  int                              // first format that has it: a member of an older one refuses it
	append func(dst []byte, m *Meta) []byte // nothing for the zero value
	read   func(r *encode.Reader, m *Meta)
}

// metaSections are in the order in which they are written, which is that of their tags. New state of a partition gets a
// section of its own; Meta.Clone has to copy one that holds a slice or a map.
var metaSections = [...]metaSection{
	{1, 4, appendPosition, readPosition},
	{2, 4, appendOrigin, readOrigin},
	{3, 4, appendClock, readClock},
	{4, 4, appendClaims, readClaims},
	{5, 4, appendPopulation, readPopulation},
	{6, 4, appendPoison, readPoison},
	{7, 4, appendLearnt, readLearnt},
	{8, 4, appendPacks, readPacks},
	{9, 4, appendHoldings, readHoldings},
	{10, 4, appendSettings, readSettings},
	{11, 4, appendIneligible, readIneligible},
	{12, 4, appendLearntClasses, readLearntClasses},
	{13, 4, appendPassed, readPassed},
	{14, 4, appendFirstStart, readFirstStart},
	{15, 4, appendSources, readSources},
	{16, 4, appendStorms, readStorms},
	{17, 4, appendSilences, readSilences},
	{19, 4, appendErased, readErased},
	{21, 4, appendLanes, readLanes},
}

// metaMagic distinguishes a Meta from what another program may have written under its key.
const metaMagic = 0xeb

// AppendMeta appends m to dst: a magic byte, its version, then its sections.
func AppendMeta(dst []byte, m *Meta) []byte { return appendMeta(dst, m, metaSections[:]) }

func appendMeta(dst []byte, m *Meta, known []metaSection) []byte {
	dst = append(dst, metaMagic, byte(m.Version))
	for i := range known {
		if m.Format != 0 && known[i].since > m.Format {
			continue // until every member reads it
		}
		var at int
		dst, at = encode.BeginSection(dst, known[i].tag)
		dst = encode.EndSection(known[i].append(dst, m), at)
	}
	return dst
}

// Errors of ReadMeta. Branch on them with errors.Is.
var (
	ErrMetaVersion = errors.New("a newer version of ebb wrote it")
	ErrMetaDamaged = errors.New("it is damaged")
)

// ReadMeta is the inverse of AppendMeta. Of another layout it reads only the version. Errors: ErrMetaVersion,
// ErrMetaDamaged.
func ReadMeta(b []byte) (m Meta, err error) { return readMeta(b, metaSections[:]) }

func readMeta(b []byte, known []metaSection) (m Meta, err error) {
	if len(b) < 2 || b[0] != metaMagic {
		return m, ErrMetaDamaged
	}
	m.Version = int(b[1])
	if m.Version != MetaVersion {
		return m, nil
	}
	before := byte(0)
	for b = b[2:]; len(b) > 0; {
		tag, body, rest, ok := encode.NextSection(b)
		if !ok || tag <= before {
			return Meta{}, ErrMetaDamaged
		}
		i := slices.IndexFunc(known, func(s metaSection) bool { return s.tag == tag })
		if i < 0 {
			return Meta{}, fmt.Errorf("section %d: %w", tag, ErrMetaVersion)
		}
		r := encode.NewReader(body)
		if known[i].read(&r, &m); !r.Whole() {
			return Meta{}, ErrMetaDamaged
		}
		before, b = tag, rest
	}
	return m, nil
}

func appendPosition(dst []byte, m *Meta) []byte {
	if m.Next == 0 && m.WallMillis == 0 {
		return dst
	}
	return binary.AppendVarint(binary.AppendVarint(dst, m.Next), m.WallMillis)
}

func readPosition(r *encode.Reader, m *Meta) { m.Next, m.WallMillis = r.Varint(), r.Varint() }

func appendOrigin(dst []byte, m *Meta) []byte {
	if m.Partitions == 0 && m.Cluster == "" && m.Topic == "" {
		return dst
	}
	return encode.AppendParts(binary.AppendVarint(dst, int64(m.Partitions)), m.Cluster, m.Topic)
}

func readOrigin(r *encode.Reader, m *Meta) {
	m.Partitions, m.Cluster, m.Topic = int(r.Varint()), r.Text(), r.Text()
}

func appendClock(dst []byte, m *Meta) []byte {
	c := &m.Clock
	if !c.Started && c.Watermark == 0 && c.Fired == (Due{}) {
		return dst
	}
	dst = binary.AppendVarint(binary.AppendVarint(encode.AppendBool(dst, c.Started), c.Watermark), c.Fired.Minute)
	return binary.LittleEndian.AppendUint64(dst, c.Fired.Hash)
}

func readClock(r *encode.Reader, m *Meta) {
	m.Clock.Started, m.Clock.Watermark = r.Bool(), r.Varint()
	m.Clock.Fired.Minute, m.Clock.Fired.Hash = r.Varint(), r.Uint64()
}

func appendClaims(dst []byte, m *Meta) []byte {
	s := &m.Clock.Start
	if len(m.Clock.Future) == 0 && *s == (Start{}) {
		return dst
	}
	dst = binary.AppendVarint(binary.AppendVarint(binary.AppendVarint(dst, s.Earliest), s.From), s.To)
	for _, f := range m.Clock.Future {
		dst = binary.LittleEndian.AppendUint64(dst, f.Customer)
		dst = binary.AppendVarint(binary.AppendVarint(dst, f.Time), f.Seen)
	}
	return dst
}

func readClaims(r *encode.Reader, m *Meta) {
	m.Clock.Start = Start{Earliest: r.Varint(), From: r.Varint(), To: r.Varint()}
	for r.More() {
		m.Clock.Future = append(m.Clock.Future, FutureEvent{Customer: r.Uint64(), Time: r.Varint(), Seen: r.Varint()})
	}
}

func appendPopulation(dst []byte, m *Meta) []byte {
	p := &m.Population
	if *p == (profile.Population{}) {
		return dst
	}
	for _, f := range [...]float64{p.N, p.Mean, p.Total, p.NGaps, p.Within} {
		dst = encode.AppendFloat(dst, f)
	}
	return binary.AppendVarint(binary.AppendVarint(dst, p.NAt), p.GapsAt)
}

func readPopulation(r *encode.Reader, m *Meta) {
	p := &m.Population
	for _, f := range [...]*float64{&p.N, &p.Mean, &p.Total, &p.NGaps, &p.Within} {
		*f = r.Finite()
	}
	p.NAt, p.GapsAt = r.Varint(), r.Varint()
}

func appendPoison(dst []byte, m *Meta) []byte {
	if m.Poison == (Poison{}) {
		return dst
	}
	return append(
		binary.AppendUvarint(binary.AppendUvarint(dst, uint64(m.Poison.At)), uint64(m.Poison.Count)),
		m.Poison.Ring[:]...)
}

func readPoison(r *encode.Reader, m *Meta) {
	m.Poison.At, m.Poison.Count = int(r.Uvarint()), int(r.Uvarint())
	copy(m.Poison.Ring[:], r.Fixed(len(m.Poison.Ring)))
}

func appendLearnt(dst []byte, m *Meta) []byte {
	if m.Learnt == (model.Calibration{Classes: m.Learnt.Classes}) {
		return dst
	}
	return model.AppendCalibration(dst, &m.Learnt)
}

func readLearnt(r *encode.Reader, m *Meta) {
	if r.Damaged() || model.ReadCalibration(r.Fixed(len(r.Rest())), &m.Learnt) != nil {
		r.Damage()
	}
}

func appendLearntClasses(dst []byte, m *Meta) []byte { return model.AppendClasses(dst, &m.Learnt) }

func readLearntClasses(r *encode.Reader, m *Meta) {
	if r.Damaged() || model.ReadClasses(r.Fixed(len(r.Rest())), &m.Learnt) != nil {
		r.Damage()
	}
}

func appendIneligible(dst []byte, m *Meta) []byte {
	if m.Ineligible == 0 {
		return dst
	}
	return binary.AppendVarint(dst, m.Ineligible)
}

func readIneligible(r *encode.Reader, m *Meta) { m.Ineligible = r.Varint() }

func appendSources(dst []byte, m *Meta) []byte { return sources.Append(dst, &m.Sources) }

func readSources(r *encode.Reader, m *Meta) { sources.Read(r, &m.Sources) }

func appendPacks(dst []byte, m *Meta) []byte {
	if m.Pack == "" && len(m.Packs) == 0 {
		return dst
	}
	dst = encode.AppendParts(dst, m.Pack)
	for _, p := range m.Packs {
		dst = encode.AppendParts(dst, p.Hash, p.Name, p.Version)
	}
	return dst
}

func readPacks(r *encode.Reader, m *Meta) {
	m.Pack = r.Text()
	for r.More() {
		m.Packs = append(m.Packs, PackRef{Hash: r.Text(), Name: r.Text(), Version: r.Text()})
	}
}
