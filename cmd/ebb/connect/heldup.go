package connect

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"

	"ebb/cmd/ebb/config"
	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
	"ebb/sinks"
)

// Waiting tells a person who waits what for. It is called now and then; nil: nobody is told.
type Waiting func(what string)

// How long a command waits for a transaction to end.
const (
	lookEvery  = 2 * time.Second  // and says so
	sweepEvery = 12 * time.Second // brokers look for transactions that are due every 10 s
	mostWait   = time.Minute
)

// offsetsTopic is where brokers keep the offsets of groups.
const offsetsTopic = "__consumer_offsets"

// Committed is the group's offset in a partition of the input. While a transaction that moves it is open, brokers do
// not tell: the caller waits until it should have ended by itself, a minute at most. Errors: *pipeline.Unready with
// what holds it up and how to end that, those of the client.
func Committed(
	ctx context.Context,
	client *kafkawire.Client,
	cfg *config.Config,
	partition int32,
	waiting Waiting,
) (kafkawire.Committed, error) {
	began := time.Now()
	var held *heldOffset
	var most time.Duration
	for {
		at, err := committedWithin(ctx, client, cfg, partition, lookEvery)
		if !errors.Is(err, kafkawire.UnstableOffsetCommit) || ctx.Err() != nil {
			return at, err
		}
		if held == nil {
			held = findHeldOffset(ctx, client, cfg, partition)
			most = held.wait(cfg)
		}
		if time.Since(began) > most {
			return at, held.error(cfg)
		}
		if waiting != nil {
			waiting(fmt.Sprintf("%s; waiting, %v so far", held.found(), time.Since(began).Round(time.Second)))
		}
	}
}

func committedWithin(
	ctx context.Context,
	client *kafkawire.Client,
	cfg *config.Config,
	partition int32,
	within time.Duration,
) (kafkawire.Committed, error) {
	soon, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	at, err := client.Committed(soon, cfg.Kafka.Group, cfg.Kafka.Input, partition)
	if err == nil || errors.Is(err, kafkawire.UnstableOffsetCommit) || soon.Err() == nil {
		return at, err
	}
	return client.Committed(ctx, cfg.Kafka.Group, cfg.Kafka.Input, partition) // a slow broker has the usual time
}

// heldOffset is a transaction that is about to move a group's offset.
type heldOffset struct {
	group, input string
	partition    int32
	transaction  kafkawire.OpenTransaction // zero: nobody tells
	offsets      int32                     // partition of offsetsTopic; -1: not known
	own          bool                      // ebb's own
}

// findHeldOffset looks for it: mostly it is that of a process of ebb that died.
func findHeldOffset(ctx context.Context, client *kafkawire.Client, cfg *config.Config, partition int32) *heldOffset {
	k := &cfg.Kafka
	h := &heldOffset{group: k.Group, input: k.Input, partition: partition, offsets: -1}
	id := sinks.TransactionalID(k.Group, k.Input, partition)
	if t, open, err := client.Transaction(ctx, id); err == nil && open {
		h.transaction, h.own = t, true
		return h
	}
	side, err := Kafka(cfg, offsetsTopic)
	if err != nil {
		return h
	}
	defer side.Close()
	topic, err := side.Topic(ctx, offsetsTopic)
	if err != nil || topic.Partitions == 0 {
		return h
	}
	n := hashCode(k.Group) & 0x7fffffff % topic.Partitions
	if open, err := side.OpenTransactions(ctx, offsetsTopic, n); err == nil && len(open) > 0 {
		h.transaction, h.offsets = open[0], n
		for _, t := range open {
			if t.From < h.transaction.From {
				h.transaction = t
			}
		}
	}
	return h
}

// hashCode is Java's, of a text. By that of a group brokers choose the partition of its offsets.
func hashCode(text string) (h int32) {
	for _, unit := range utf16.Encode([]rune(text)) {
		h = 31*h + int32(unit)
	}
	return h
}

// wait is how long it may take until brokers end it.
func (h *heldOffset) wait(cfg *config.Config) time.Duration {
	t := &h.transaction
	left := cfg.Kafka.TransactionTimeout
	if t.Timeout > 0 && !t.Began.IsZero() {
		left = max(0, time.Until(t.Began.Add(t.Timeout)))
	}
	return min(left+sweepEvery, mostWait)
}

func (h *heldOffset) found() string {
	text := fmt.Sprintf("the offset of group %s in %s/%d is held up by ", h.group, h.input, h.partition)
	t := &h.transaction
	switch {
	case h.own:
		text += "an open transaction of ebb (" + t.ID + "), which a process that died has left"
	case t.ID != "":
		text += "an open transaction of another program (" + t.ID + ")"
	case h.offsets >= 0 && !t.Unsure:
		text += "a transaction that hangs: no coordinator knows of it"
	default:
		text += "an open transaction"
	}
	if h.offsets >= 0 {
		text += fmt.Sprintf(", from offset %d of %s/%d on", t.From, offsetsTopic, h.offsets)
	}
	return text + Lasts(t)
}

// Lasts says since when a transaction is open and when it ends by itself, as far as brokers tell.
func Lasts(t *kafkawire.OpenTransaction) (text string) {
	if !t.Began.IsZero() {
		text += fmt.Sprintf(", open for %v", time.Since(t.Began).Round(time.Second))
	}
	if t.Timeout > 0 {
		text += fmt.Sprintf("; the brokers end it after %v", t.Timeout)
	}
	return text
}

// error is what to do about it.
func (h *heldOffset) error(cfg *config.Config) error {
	brokers := strings.Join(cfg.Kafka.Brokers, ",")
	do := "wait: the brokers abort it once its timeout has passed (transaction.max.timeout.ms at most, 15 minutes unless " +
		"changed); ebb run ends ebb's own at once; to find any other:\nkafka-transactions.sh --bootstrap-server " + brokers +
		" list"
	if h.offsets >= 0 {
		do = kafkawire.EndTransaction(brokers, offsetsTopic, h.offsets, h.transaction.From)
	}
	return &pipeline.Unready{Code: kafkawire.CodeTransactionOpen, Detail: h.found(), Do: do}
}
