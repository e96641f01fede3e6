//go:build integration

package linetest_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline/linetest/oracle"
)

// row is one event of a log.
type row struct {
	customer string
	seconds  int64 // since the epoch
	kind     string
}

// flat is the row in ebb's flat envelope; the id is the log's name and the line.
func (r row) flat(log string, line int) []byte {
	return fmt.Appendf(nil, `{"id":"%s:%d","customer":%q,"type":%q,"time":%q}`,
		log, line, r.customer, r.kind, time.Unix(r.seconds, 0).UTC().Format(time.RFC3339))
}

// record is one record to produce.
type record struct {
	key     string
	value   []byte
	millis  int64 // timestamp
	headers []kgo.RecordHeader
}

// events renders rows as records, the first of which is line from of the log.
func events(log string, from int, rows []row) []record {
	records := make([]record, len(rows))
	for i, r := range rows {
		records[i] = record{key: r.customer, value: r.flat(log, from+i), millis: r.seconds * 1000}
	}
	return records
}

// poisoned puts an unusable record after every 5,000th.
func poisoned(records []record) []record {
	var all []record
	for i, r := range records {
		all = append(all, r)
		if i%5000 == 2500 {
			all = append(all, record{key: r.key, value: fmt.Appendf(nil, "poison %d", i), millis: r.millis})
		}
	}
	return all
}

// produce writes records in order and returns what each partition now holds more, as the fold reads it. The fold's own
// partitioner places the keys.
func (w *world) produce(records []record) [][]oracle.Record {
	w.t.Helper()
	cl, err := kgo.NewClient(
		kgo.SeedBrokers(w.kafka),
		kgo.DefaultProduceTopic(w.input),
		kgo.MaxBufferedRecords(200_000),
		kgo.RecordPartitioner(
			kgo.ManualPartitioner(),
		),
		kgo.ProducerLinger(10*time.Millisecond),
		kgo.ProducerBatchMaxBytes(2<<20),
	)
	if err != nil {
		w.t.Fatal(err)
	}
	defer cl.Close()
	sent := make([]*kgo.Record, len(records))
	var failed error
	for i, r := range records {
		sent[i] = &kgo.Record{
			Key: []byte(r.key), Value: r.value, Headers: r.headers, Timestamp: time.UnixMilli(r.millis),
			Partition: int32(oracle.Partition([]byte(r.key), w.partitions)),
		}
		cl.Produce(w.t.Context(), sent[i], func(_ *kgo.Record, err error) {
			if err != nil {
				failed = err
			}
		})
	}
	if err := cl.Flush(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	if failed != nil {
		w.t.Fatal(failed)
	}
	partitions := make([][]oracle.Record, w.partitions)
	for _, r := range sent {
		partitions[r.Partition] = append(partitions[r.Partition], oracle.Record{Offset: r.Offset, Value: r.Value})
	}
	return partitions
}

// join appends what a later produce returned.
func join(a, b [][]oracle.Record) [][]oracle.Record {
	joined := make([][]oracle.Record, len(a))
	for i := range a {
		joined[i] = slices.Concat(a[i], b[i])
	}
	return joined
}

// shop makes a seeded log in time order: customers who visit in rhythms of their own for a while, and complain at
// times.
func shop(seed uint64, customers, days int) []row {
	r := rand.New(rand.NewPCG(seed, 1))
	begin := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	end := begin + int64(days)*86_400
	var rows []row
	for c := range customers {
		typical := 1 + 2.5*r.Float64() // ln of the usual gap in days
		t := begin + r.Int64N(int64(days)*86_400/2)
		leaves := t + int64(r.ExpFloat64()*float64(days)*86_400)
		for t < min(end, leaves) {
			kind := "visit"
			if r.IntN(20) == 0 {
				kind = "complaint"
			}
			rows = append(rows, row{fmt.Sprintf("c%05d", c), t, kind})
			t += int64(86_400 * math.Exp(typical+0.6*r.NormFloat64()))
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return int(a.seconds - b.seconds) })
	return rows
}
