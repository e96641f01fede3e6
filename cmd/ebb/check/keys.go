package check

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/pipeline"
	"ebb/pipeline/decode"
	"ebb/pipeline/kafkascan"
	"ebb/pipeline/kafkawire"
)

// How much of the input the check of keys looks at.
const (
	sampledRecords    = 2_000 // the newest of a partition
	sampledPartitions = 64
	sampleTimeout     = 10 * time.Second
)

// checkKeys looks at the newest records for customers whose events come in several partitions. ebb scores each
// partition on its own, so it would score such a customer several times, by parts of its history.
func (c *checking) checkKeys(ctx context.Context, input *kafkawire.Topic) {
	const check = "input keys"
	ctx, cancel := context.WithTimeout(ctx, sampleTimeout)
	defer cancel()
	s := keySample{decoder: c.decoder(), homes: map[string][]int32{}}
	for p := range min(input.Partitions, sampledPartitions) {
		if err := s.read(ctx, c.client, input.Name, p); err != nil {
			c.failed(check, "allow READ on the topic", err)
			return
		}
	}
	const remedy = "have producers key each record by its customer and partition by that key alike; what is there " +
		"already can be sent again, keyed, to a new topic with: ebb produce"
	switch strays := s.strays(); {
	case len(s.homes) == 0:
		c.ok(check, "no events to look at yet")
	case len(strays) > 0:
		c.problem(
			check,
			remedy,
			"%s of %s occur in more than one partition (one of them in %s) among the newest %s; each partition would see a "+
				"part of their history",
			advice.Grouped(
				int64(len(strays)),
			),
			advice.Count(int64(len(s.homes)), "customer"),
			partitionList(strays[0]),
			advice.Count(int64(s.events), "event"),
		)
	case s.keyless > 0:
		c.warn(
			check,
			remedy,
			"%s of the newest %s have no key; without one, producers spread a customer's events over all partitions",
			advice.Grouped(int64(s.keyless)),
			advice.Count(int64(s.events), "event"),
		)
	default:
		c.ok(
			check,
			"%s, each in one partition, among the newest %s",
			advice.Count(int64(len(s.homes)), "customer"),
			advice.Count(int64(s.events), "event"),
		)
	}
}

func (c *checking) decoder() *decode.Decoder {
	return c.cfg.Input.Decoder(c.cfg.Input.MaxRecordBytes)
}

// keySample is where customers were seen.
type keySample struct {
	decoder         *decode.Decoder
	homes           map[string][]int32 // partitions, ascending, by customer
	events, keyless int
}

// read takes in the newest records of a partition, without those behind an open transaction.
func (s *keySample) read(ctx context.Context, client *kafkawire.Client, topic string, partition int32) error {
	start, end, err := client.StableBounds(ctx, topic, partition)
	if err != nil {
		return err
	}
	scan := kafkascan.Scan{
		Client: client, Topic: topic, Partition: partition, From: max(start, end-sampledRecords), To: end, MaxBytes: 1 << 20,
		Patience: sampleTimeout / 2,
		Record:   func(r *pipeline.Record) error { s.take(r, partition); return nil },
		Answered: func(int64) error { s.decoder.Reset(); return nil },
		Lost:     func(int64, int64) {}, // deleted since the bounds were read: no longer among the newest
	}
	return scan.Run(ctx)
}

func (s *keySample) take(r *pipeline.Record, partition int32) {
	var e pipeline.Event
	if s.decoder.Decode(r, &e); !e.Counts() {
		return
	}
	s.events++
	if r.Key == nil {
		s.keyless++
	}
	homes := s.homes[string(e.Key)]
	if !slices.Contains(homes, partition) {
		s.homes[string(e.Key)] = append(homes, partition)
	}
}

// strays are the partitions of each customer that has several, the widest spread first.
func (s *keySample) strays() (strays [][]int32) {
	for _, homes := range s.homes {
		if len(homes) > 1 {
			strays = append(strays, homes)
		}
	}
	slices.SortFunc(strays, func(a, b []int32) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return slices.Compare(a, b)
	})
	return strays
}

func partitionList(partitions []int32) string {
	const shown = 5
	if len(partitions) > shown {
		return fmt.Sprintf("%d partitions", len(partitions))
	}
	text := "partitions "
	for i, p := range partitions {
		switch {
		case i > 0 && i == len(partitions)-1:
			text += " and "
		case i > 0:
			text += ", "
		}
		text += strconv.Itoa(int(p))
	}
	return text
}
