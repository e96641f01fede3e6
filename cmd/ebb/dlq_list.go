package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/terminal"
	"ebb/pipeline/kafkawire"
)

func newDLQListCommand(a *app) *cobra.Command {
	var f dlqFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Count quarantined records, by code and partition",
		Long: `Count quarantined records, by code and partition of the input: how many there are and of how many bytes, how many were
sent again, the oldest and newest timestamp, and between which offsets of the input they stood.`,
		Example: "  ebb dlq list\n" +
			"  ebb dlq list --since 2h --code time_missing\n" +
			"  ebb dlq list --json | jq '.groups[] | select(.records > 100)'",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.dlqList(cmd, &f) },
	}
	f.add(cmd)
	return cmd
}

// dlqListing is what --json prints.
type dlqListing struct {
	Topic    string      `json:"topic"`
	Records  int64       `json:"records"`
	Replayed int64       `json:"replayed"` // of them, sent again
	Bytes    int64       `json:"bytes"`    // of keys and values
	Foreign  int64       `json:"foreign"`  // records in the topic that ebb did not put there
	Groups   []*dlqGroup `json:"groups"`

	groups map[groupKey]*dlqGroup
}

// groupKey is what the records of a group share.
type groupKey struct {
	code, topic string
	partition   int32
}

// dlqGroup is the records of one code and one partition of the input.
type dlqGroup struct {
	Code      string `json:"code"`
	Topic     string `json:"topic"` // of the input
	Partition int32  `json:"partition"`
	Records   int64  `json:"records"`
	Replayed  int64  `json:"replayed"`
	Again     int64  `json:"again"` // of all, those that had been sent again before and were quarantined once more
	Bytes     int64  `json:"bytes"`
	Oldest    string `json:"oldest"` // timestamps
	Newest    string `json:"newest"`
	From      int64  `json:"from_offset"` // of the input
	To        int64  `json:"to_offset"`

	oldest, newest int64
}

func (a *app) dlqList(cmd *cobra.Command, f *dlqFlags) error {
	selected, err := f.selection(time.Now())
	if err != nil {
		return advice.Usage(err)
	}
	d, err := a.openDLQ(cmd, f, kafkawire.Read)
	if err != nil {
		return err
	}
	defer d.close()
	l := &dlqListing{Topic: d.name, Groups: []*dlqGroup{}, groups: map[groupKey]*dlqGroup{}}
	counts, err := d.walk(cmd.Context(), selected, func(r *deadLetter) error { l.add(r); return nil })
	if err != nil {
		return err
	}
	d.progress.End()
	d.sayHeldUp()
	l.Foreign = counts.foreign
	l.finish()
	if f.json {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(l)
	}
	return l.print(terminal.NewScreen(cmd.OutOrStdout(), a.environ))
}

func (l *dlqListing) add(r *deadLetter) {
	g := l.group(r)
	bytes := int64(len(r.Key) + len(r.Value))
	if g.Records == 0 {
		g.oldest, g.newest, g.From, g.To = r.Timestamp, r.Timestamp, r.Source.Offset, r.Source.Offset
	}
	g.oldest, g.newest = min(g.oldest, r.Timestamp), max(g.newest, r.Timestamp)
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

// group finds the record's group, or makes it.
func (l *dlqListing) group(r *deadLetter) *dlqGroup {
	key := groupKey{r.Code, r.Source.Topic, r.Source.Partition}
	g := l.groups[key]
	if g == nil {
		g = &dlqGroup{Code: key.code, Topic: key.topic, Partition: key.partition}
		l.groups[key] = g
		l.Groups = append(l.Groups, g)
	}
	return g
}

// finish puts the largest code first, each by partition.
func (l *dlqListing) finish() {
	total := map[string]int64{}
	for _, g := range l.Groups {
		total[g.Code] += g.Records
		g.Oldest, g.Newest = advice.Stamp(g.oldest), advice.Stamp(g.newest)
	}
	slices.SortFunc(l.Groups, func(a, b *dlqGroup) int {
		return cmp.Or(cmp.Compare(total[b.Code], total[a.Code]), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
}

func (l *dlqListing) print(w terminal.Screen) error {
	if len(l.Groups) > 0 {
		narrow := w.Terminal && w.Width < terminal.Wide
		t := table.NewWriter()
		t.SetStyle(table.StyleDefault)
		t.Style().Options = table.OptionsNoBordersAndSeparators
		t.Style().Box.PaddingLeft, t.Style().Box.PaddingRight = "", "  "
		t.SuppressTrailingSpaces()
		var right []table.ColumnConfig
		for n := range 4 {
			right = append(right, table.ColumnConfig{Number: n + 2, Align: text.AlignRight})
		}
		t.SetColumnConfigs(right[:3])
		if !narrow {
			t.SetColumnConfigs(right)
		}
		l.rows(t, narrow)
		if _, err := fmt.Fprintf(w, "%s\n\n", t.Render()); err != nil {
			return err
		}
	}
	return l.printTotal(w)
}

// rows fills the table; a narrow one leaves out what there is no room for.
func (l *dlqListing) rows(t table.Writer, narrow bool) {
	const day, minute = "2006-01-02 15:04", "01-02 15:04"
	if narrow {
		t.AppendRow(table.Row{"code", "part", "records", "replayed", "oldest", "newest"})
	} else {
		t.AppendRow(table.Row{"code", "part", "records", "replayed", "bytes", "oldest", "newest", "offsets in the input"})
	}
	for _, g := range l.Groups {
		row := table.Row{terminal.Printable(g.Code), g.Partition, advice.Grouped(g.Records), advice.Grouped(g.Replayed)}
		oldest, newest := time.UnixMilli(g.oldest).UTC(), time.UnixMilli(g.newest).UTC()
		if narrow {
			row = append(row, oldest.Format(minute), newest.Format(minute))
		} else {
			row = append(row, advice.Grouped(g.Bytes), oldest.Format(day), newest.Format(day), fmt.Sprintf("%d-%d", g.From, g.To))
		}
		t.AppendRow(row)
	}
}

func (l *dlqListing) printTotal(w io.Writer) error {
	foreign := ""
	if l.Foreign > 0 {
		foreign = "; " + advice.Count(l.Foreign, "record") + " that ebb did not put there"
	}
	_, err := fmt.Fprintf(w, "%s in %s, %s, %s replayed%s\n", advice.Count(l.Records, "record"), l.Topic, advice.Count(l.Bytes, "byte"), advice.Grouped(l.Replayed), foreign)
	return err
}
