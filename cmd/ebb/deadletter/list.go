package deadletter

import (
	"cmp"
	"context"
	"slices"

	"ebb/cmd/ebb/advice"
)

// Listing counts the records of a DLQ, by code and partition of the input.
type Listing struct {
	Topic    string   `json:"topic"`
	Records  int64    `json:"records"`
	Replayed int64    `json:"replayed"` // of them, sent again
	Bytes    int64    `json:"bytes"`    // of keys and values
	Foreign  int64    `json:"foreign"`  // records in the topic that ebb did not put there
	Groups   []*Group `json:"groups"`

	groups map[groupKey]*Group
}

// groupKey is what the records of a group share.
type groupKey struct {
	code, topic string
	partition   int32
}

// Group is the records of one code and one partition of the input.
type Group struct {
	Code      string `json:"code"`
	Topic     string `json:"topic"` // of the input
	Partition int32  `json:"partition"`
	Records   int64  `json:"records"`
	Replayed  int64  `json:"replayed"`
	Again     int64  `json:"again"` // of all, those that had been replayed before and were quarantined again
	Bytes     int64  `json:"bytes"`
	Oldest    string `json:"oldest"` // timestamps
	Newest    string `json:"newest"`
	From      int64  `json:"from_offset"` // of the input
	To        int64  `json:"to_offset"`

	OldestMillis int64 `json:"-"` // since the epoch
	NewestMillis int64 `json:"-"`
}

// List counts the records of the selection.
func (q *Queue) List(ctx context.Context, s *Selection) (*Listing, error) {
	l := &Listing{Topic: q.Name, Groups: []*Group{}, groups: map[groupKey]*Group{}}
	foreign, err := q.Walk(ctx, s, func(r *Letter) error { l.add(r); return nil })
	if err != nil {
		return nil, err
	}
	l.Foreign = foreign
	l.finish()
	return l, nil
}

func (l *Listing) add(r *Letter) {
	g := l.group(r)
	bytes := int64(len(r.Key) + len(r.Value))
	if g.Records == 0 {
		g.OldestMillis, g.NewestMillis, g.From, g.To = r.Timestamp, r.Timestamp, r.Source.Offset, r.Source.Offset
	}
	g.OldestMillis, g.NewestMillis = min(g.OldestMillis, r.Timestamp), max(g.NewestMillis, r.Timestamp)
	g.From, g.To = min(g.From, r.Source.Offset), max(g.To, r.Source.Offset)
	g.Records, g.Bytes = g.Records+1, g.Bytes+bytes
	l.Records, l.Bytes = l.Records+1, l.Bytes+bytes
	if r.Replayed {
		g.Replayed, l.Replayed = g.Replayed+1, l.Replayed+1
	}
	if r.Replays > 0 {
		g.Again++
	}
}

// group is the record's group. It makes one if there is none.
func (l *Listing) group(r *Letter) *Group {
	key := groupKey{r.Code, r.Source.Topic, r.Source.Partition}
	g := l.groups[key]
	if g == nil {
		g = &Group{Code: key.code, Topic: key.topic, Partition: key.partition}
		l.groups[key] = g
		l.Groups = append(l.Groups, g)
	}
	return g
}

// finish puts the largest code first, each by partition.
func (l *Listing) finish() {
	total := map[string]int64{}
	for _, g := range l.Groups {
		total[g.Code] += g.Records
		g.Oldest, g.Newest = advice.Stamp(g.OldestMillis), advice.Stamp(g.NewestMillis)
	}
	slices.SortFunc(l.Groups, func(a, b *Group) int {
		return cmp.Or(cmp.Compare(total[b.Code], total[a.Code]), cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
}
