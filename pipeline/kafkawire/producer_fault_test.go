package kafkawire_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
	"ebb/pipeline/kafkawire"
)

// TestProducerLostAnswers breaks the connection at every request of a transaction, before and after the broker has
// dealt with it. Init then says how it ended, and doing again what was not done makes every record published once.
func TestProducerLostAnswers(t *testing.T) {
	addrs := brokers(t)
	versions(t, func(t *testing.T, only1 bool) {
		keys := []kmsg.Key{kmsg.TxnOffsetCommit, kmsg.Produce, kmsg.EndTxn}
		if only1 {
			keys = append(keys, kmsg.AddOffsetsToTxn, kmsg.AddPartitionsToTxn)
		}
		in, out, group := unique(t, "in"), unique(t, "out"), unique(t, "group")
		cut := new(cutter)
		c := openCut(t, addrs, cut, in, out)
		create(t, c, in, 1)
		create(t, c, out, 1)
		p := producer(t, c, unique(t, "txn"), only1)
		transact := func(offset int64) error {
			return p.Commit(t.Context(), unfenced(group, in, offset, text(out, strconv.FormatInt(offset, 10))))
		}
		var want []string
		offset := int64(0)
		for _, key := range keys {
			for _, before := range []bool{true, false} {
				offset++
				want = append(want, strconv.FormatInt(offset, 10))
				cut.arm(key, before)
				if err := transact(offset); !errors.Is(err, pipeline.ErrUnavailable) || !cut.sprung() {
					t.Fatalf("%s, before %v: %v", key.Name(), before, err)
				}
				if err := transact(offset); !errors.Is(err, pipeline.ErrUnavailable) {
					t.Fatalf("%s, before %v: used without Init: %v", key.Name(), before, err)
				}
				if err := p.Init(t.Context()); err != nil {
					t.Fatal(err)
				}
				at, err := c.Committed(t.Context(), group, in, 0)
				if err != nil {
					t.Fatal(err)
				}
				if ended := key == kmsg.EndTxn && !before; at.Offset == offset != ended {
					t.Fatalf("%s, before %v: offset %+v", key.Name(), before, at)
				}
				if at.Offset < offset {
					if err := transact(offset); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		if diff := cmp.Diff(want, valuesOf(t, addrs, out, len(want))); diff != "" {
			t.Errorf("published (-want +got):\n%s", diff)
		}
	})
}

// TestProducerFencesItsPast lets a second instance take over between transactions and in the middle of one.
func TestProducerFencesItsPast(t *testing.T) {
	addrs := brokers(t)
	versions(t, func(t *testing.T, only1 bool) {
		in, out, group, id := unique(t, "in"), unique(t, "out"), unique(t, "group"), unique(t, "txn")
		cut := new(cutter)
		old, c := openCut(t, addrs, cut, in, out), open(t, addrs, in, out)
		create(t, c, in, 1)
		create(t, c, out, 1)
		zombie := producer(t, old, id, only1)
		if err := zombie.Commit(t.Context(), unfenced(group, in, 1, text(out, "1"))); err != nil {
			t.Fatal(err)
		}
		heir := producer(t, c, id, only1)
		err := zombie.Commit(t.Context(), unfenced(group, in, 2, text(out, "zombie")))
		if !errors.Is(err, pipeline.ErrFenced) {
			t.Errorf("zombie between transactions: %v", err)
		}
		if err := heir.Commit(t.Context(), unfenced(group, in, 2, text(out, "2"))); err != nil {
			t.Fatal(err)
		}
		if err := zombie.Init(t.Context()); err != nil {
			t.Fatal(err)
		}
		cut.arm(kmsg.EndTxn, true) // leaves its transaction open
		err = zombie.Commit(t.Context(), unfenced(group, in, 3, text(out, "open")))
		if !errors.Is(err, pipeline.ErrUnavailable) {
			t.Fatal(err)
		}
		if err := heir.Init(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := heir.Commit(t.Context(), unfenced(group, in, 3, text(out, "3"))); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"1", "2", "3"}, valuesOf(t, addrs, out, 3)); diff != "" {
			t.Errorf("published (-want +got):\n%s", diff)
		}
	})
}

// TestProducerSplitsRequests writes more than one request may carry, to several partitions: everything arrives in
// order.
func TestProducerSplitsRequests(t *testing.T) {
	addrs := brokers(t)
	versions(t, func(t *testing.T, only1 bool) {
		in, out, cut := unique(t, "in"), unique(t, "out"), new(cutter)
		c := openCut(t, addrs, cut, in, out)
		create(t, c, in, 1)
		create(t, c, out, 3)
		p := producerWith(t, c, kafkawire.ProducerConfig{TransactionalID: unique(t, "txn"), MaxRequest: 500}, only1)
		const rounds, each = 3, 100
		for i := range rounds {
			var records []pipeline.Outgoing
			for j := range each {
				r := text(out, fmt.Sprintf("%04d", i*each+j))
				r.Partition = int32(j % 3)
				records = append(records, r)
			}
			records = append(records, text(out, string(make([]byte, 5000)))) // alone above the limit
			if err := p.Commit(t.Context(), unfenced(unique(t, "group"), in, 1, records...)); err != nil {
				t.Fatal(err)
			}
		}
		if n := cut.count(kmsg.Produce); n < rounds*4 {
			t.Errorf("%d produce requests", n)
		}
		byPartition := make([][]string, 3)
		for _, r := range committed(t, addrs, out, rounds*(each+1)) {
			if len(r.Value) == 4 {
				byPartition[r.Partition] = append(byPartition[r.Partition], string(r.Value))
			}
		}
		n := 0
		for i, values := range byPartition {
			n += len(values)
			if !slices.IsSorted(values) || len(slices.Compact(values)) != len(values) {
				t.Errorf("partition %d out of order: %q", i, values)
			}
		}
		if n != rounds*each {
			t.Errorf("%d records", n)
		}
	})
}

// noise is text that no compression makes smaller.
func noise(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return string(b)
}

// TestProducerCompressesWhatIsTooLarge: a record that came compressed, larger than the topic takes, goes through
// compressed.
func TestProducerCompressesWhatIsTooLarge(t *testing.T) {
	addrs := brokers(t)
	versions(t, func(t *testing.T, only1 bool) {
		in, out := unique(t, "in"), unique(t, "out")
		c := open(t, addrs, in, out)
		create(t, c, in, 1)
		create(t, c, out, 1, "max.message.bytes", "10000")
		p := producerWith(t, c, kafkawire.ProducerConfig{TransactionalID: unique(t, "txn"), MaxRequest: 5000}, only1)
		want := []string{"small", strings.Repeat("large", 100_000), "after"}
		tx := unfenced(unique(t, "group"), in, 1, text(out, want[0]), text(out, want[1]), text(out, want[2]))
		if err := p.Commit(t.Context(), tx); err != nil {
			t.Fatal(err)
		}
		if got := valuesOf(t, addrs, out, 3); !slices.Equal(got, want) { // by franz-go
			t.Errorf("values of %d bytes come back as other ones", len(want[1]))
		}
	})
}

// TestProducerCompresses: what was compressed in each of the ways comes back byte for byte, read by franz-go and by a
// Fetcher: small batches, large ones, and what no compression makes smaller.
func TestProducerCompresses(t *testing.T) {
	addrs := brokers(t)
	for name, c := range map[string]struct {
		how   kafkabatch.Compression
		codec uint8 // by Kafka's number
	}{"none": {kafkabatch.Uncompressed, 0}, "snappy": {kafkabatch.Snappy, 2}, "zstd": {kafkabatch.Zstd, 4}} {
		how, codec := c.how, c.codec
		t.Run(name, func(t *testing.T) {
			in, out := unique(t, "in"), unique(t, "out")
			c := open(t, addrs, in, out)
			create(t, c, in, 1)
			create(t, c, out, 1)
			p := producerWith(
				t,
				c,
				kafkawire.ProducerConfig{TransactionalID: unique(t, "txn"), MaxRequest: 150_000, Compression: how},
				false,
			)
			var want []string
			for n := range 40 {
				want = append(want, "small", noise(3000), strings.Repeat(fmt.Sprintf(`{"alert":%d}`, n), 200), "")
			}
			want = append(want, noise(70_000), strings.Repeat("long", 25_000)) // longer than a block
			for round := range int64(3) {                                      // in memory that was used before
				var records []pipeline.Outgoing
				for _, v := range want {
					records = append(records, text(out, v))
				}
				if err := p.Commit(t.Context(), unfenced(unique(t, "group"), in, round+1, records...)); err != nil {
					t.Fatal(err)
				}
			}
			want = slices.Concat(want, want, want)
			for i, r := range committed(t, addrs, out, len(want)) {
				if string(r.Value) != want[i] || r.Attrs.CompressionType() != codec {
					t.Fatalf(
						"franz-go reads %.50q with codec %d, want %.50q with %d",
						r.Value,
						r.Attrs.CompressionType(),
						want[i],
						codec,
					)
				}
			}
			var got []string
			f, answer := fetcher(t, c, out), pipeline.Fetched{}
			for offset := int64(0); len(got) < len(want); offset = answer.Next {
				if err := f.Fetch(t.Context(), offset, &answer); err != nil {
					t.Fatal(err)
				}
				for i := range answer.Records {
					got = append(got, string(answer.Records[i].Value))
				}
			}
			if !slices.Equal(got, want) {
				t.Error("the Fetcher reads other values")
			}
		})
	}
}

// TestProducerFullRequests: whatever compresses and whatever does not, also where it just fits into a request or just
// does not, comes back byte for byte, read by franz-go.
func TestProducerFullRequests(t *testing.T) {
	addrs := brokers(t)
	in, out := unique(t, "in"), unique(t, "out")
	c := open(t, addrs, in, out)
	create(t, c, in, 1)
	create(t, c, out, 2)
	const most = 140_000 // two blocks and a little
	p := producerWith(
		t,
		c,
		kafkawire.ProducerConfig{TransactionalID: unique(t, "txn"), MaxRequest: most, Compression: kafkabatch.Snappy},
		false,
	)
	var want [2][]string
	commit := func(values ...string) {
		t.Helper()
		var records []pipeline.Outgoing
		for i, v := range values {
			r := text(out, v)
			r.Partition = int32(i % 2)
			records = append(records, r)
			want[i%2] = append(want[i%2], v)
		}
		if err := p.Commit(t.Context(), unfenced(unique(t, "group"), in, 1, records...)); err != nil {
			t.Fatal(err)
		}
	}
	for short := -100; short < 200; short += 3 {
		commit(noise(most - short))
	}
	for tail := 0; tail < 20_000; tail += 500 { // what does not compress, and then what does
		commit(noise(most-20_000), strings.Repeat("a", 10), strings.Repeat("b", tail), noise(tail), strings.Repeat("c", most))
	}
	var got [2][]string
	for _, r := range committed(t, addrs, out, len(want[0])+len(want[1])) {
		got[r.Partition] = append(got[r.Partition], string(r.Value))
	}
	for i := range want {
		if !slices.Equal(got[i], want[i]) {
			t.Errorf("partition %d: other values than were written", i)
		}
	}
}

// TestProducerLastResort: a single record that its topic does not take is compressed harder before a person is asked.
func TestProducerLastResort(t *testing.T) {
	addrs := brokers(t)
	for _, how := range []kafkabatch.Compression{kafkabatch.Uncompressed, kafkabatch.Snappy} {
		in, out, group := unique(t, "in"), unique(t, "out"), unique(t, "group")
		c := open(t, addrs, in, out)
		create(t, c, in, 1)
		create(t, c, out, 1, "max.message.bytes", "10000")
		p := producerWith(t, c, kafkawire.ProducerConfig{TransactionalID: unique(t, "txn"), Compression: how}, false)
		want := strings.Repeat("a long story, and the same again; ", 10_000) // of which snappy leaves 17 kB
		err := p.Commit(t.Context(), unfenced(group, in, 1, text(out, want)))
		if !errors.Is(err, kafkawire.MessageTooLarge) {
			t.Fatalf("compression %d: %v", how, err)
		}
		if err := p.Init(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := p.Commit(t.Context(), unfenced(group, in, 1, text(out, want))); err != nil {
			t.Fatalf("compression %d: %v", how, err)
		}
		if got := valuesOf(t, addrs, out, 1); got[0] != want {
			t.Errorf("compression %d: another value of %d bytes", how, len(got[0]))
		}
		for attempt := 1; !errors.As(err, new(*pipeline.HardStop)); attempt++ { // of what no compression makes smaller
			if attempt > 3 {
				t.Fatalf("compression %d: %v", how, err)
			}
			if err := p.Init(t.Context()); err != nil {
				t.Fatal(err)
			}
			err = p.Commit(t.Context(), unfenced(group, in, 2, text(out, noise(20_000))))
		}
	}
}

// TestProducerRequestsShrink: a topic that takes less at a time than the producer sends gets it in smaller requests,
// once.
func TestProducerRequestsShrink(t *testing.T) {
	addrs := brokers(t)
	versions(t, func(t *testing.T, only1 bool) {
		in, out, group := unique(t, "in"), unique(t, "out"), unique(t, "group")
		c := open(t, addrs, in, out)
		create(t, c, in, 1)
		create(t, c, out, 1, "max.message.bytes", "20000")
		p := producerWith(t, c, kafkawire.ProducerConfig{TransactionalID: unique(t, "txn"), MaxRequest: 100_000}, only1)
		var want []string
		var records []pipeline.Outgoing
		for range 30 {
			want = append(want, noise(3000))
			records = append(records, text(out, want[len(want)-1]))
		}
		refused := 0
		for err := error(kafkawire.MessageTooLarge); err != nil; refused++ {
			// about 100, 50, 25 kB
			if !errors.Is(err, kafkawire.MessageTooLarge) || !errors.Is(err, pipeline.ErrUnavailable) || refused > 2 {
				t.Fatalf("after %d times: %v", refused, err)
			}
			if err := p.Init(t.Context()); err != nil {
				t.Fatal(err)
			}
			err = p.Commit(t.Context(), unfenced(group, in, 1, records...))
		}
		if refused != 3 {
			t.Errorf("committed at attempt %d, not 3", refused)
		}
		if diff := cmp.Diff(want, valuesOf(t, addrs, out, len(want))); diff != "" {
			t.Errorf("published (-want +got):\n%s", diff)
		}
	})
}

// TestProducerRecordTooLarge is for a person to mend, and holds up no reader.
func TestProducerRecordTooLarge(t *testing.T) {
	addrs := brokers(t)
	versions(t, func(t *testing.T, only1 bool) {
		in, out, group := unique(t, "in"), unique(t, "out"), unique(t, "group")
		c := open(t, addrs, in, out)
		create(t, c, in, 1)
		create(t, c, out, 1, "max.message.bytes", "10000")
		p := producerWith(t, c, kafkawire.ProducerConfig{TransactionalID: unique(t, "txn"), MaxRequest: 5000}, only1)
		err := p.Commit(t.Context(), unfenced(group, in, 1, text(out, "small"), text(out, noise(20_000))))
		if hard := new(pipeline.HardStop); !errors.As(err, &hard) || hard.Code != "record_too_large" {
			t.Fatalf("error %v", err)
		}
		var got pipeline.Fetched
		f := fetcher(t, c, out)
		// well before the transaction's timeout
		for deadline := time.Now().Add(5 * time.Second); got.End == 0 || got.Stable < got.End; {
			if err := f.Fetch(t.Context(), 0, &got); err != nil || time.Now().After(deadline) {
				t.Fatalf("readers are held up at %d of %d, %v", got.Stable, got.End, err)
			}
		}
		write(t, writer(t, addrs, out), "after")
		if diff := cmp.Diff([]string{"after"}, valuesOf(t, addrs, out, 1)); diff != "" {
			t.Errorf("published (-want +got):\n%s", diff)
		}
		if at, err := c.Committed(t.Context(), group, in, 0); err != nil || at.Exists {
			t.Errorf("offset %+v, %v", at, err)
		}
	})
}

// TestProducerMembership has the group's coordinator refuse whoever is not its member any more.
func TestProducerMembership(t *testing.T) {
	addrs := brokers(t)
	versions(t, func(t *testing.T, only1 bool) {
		in, out, group := unique(t, "in"), unique(t, "out"), unique(t, "group")
		c := open(t, addrs, in, out)
		create(t, c, in, 1)
		create(t, c, out, 1)
		first := join(t, c, kafkawire.Membership{Group: group, Instance: "one"})
		p := producer(t, c, unique(t, "txn"), only1)
		offset := int64(0)
		commit := func(m kafkawire.Membership) error {
			tx := unfenced(group, in, offset+1, text(out, strconv.FormatInt(offset+1, 10)))
			tx.Membership = m
			err := p.Commit(t.Context(), tx)
			if err == nil {
				offset++
			} else if err := p.Init(t.Context()); err != nil {
				t.Fatal(err)
			}
			return err
		}
		if err := commit(first); err != nil {
			t.Fatalf("member: %v", err)
		}
		second := join(t, c, kafkawire.Membership{Group: group, Instance: "one"}) // came back under its instance id
		for name, m := range map[string]struct {
			who  kafkawire.Membership
			want kafkawire.Error
		}{
			"replaced instance": {first, kafkawire.FencedInstance},
			"stale generation": {
				kafkawire.Membership{Group: group, Generation: second.Generation - 1, Member: second.Member, Instance: "one"},
				kafkawire.IllegalGeneration,
			},
			"unknown member": {
				kafkawire.Membership{Group: group, Generation: second.Generation, Member: "nobody"},
				kafkawire.UnknownMember,
			},
		} {
			if err := commit(m.who); !errors.Is(err, m.want) || !errors.Is(err, pipeline.ErrFenced) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := commit(second); err != nil {
			t.Errorf("the one who came back: %v", err)
		}
		if diff := cmp.Diff([]string{"1", "2"}, valuesOf(t, addrs, out, 2)); diff != "" {
			t.Errorf("published (-want +got):\n%s", diff)
		}
	})
}
