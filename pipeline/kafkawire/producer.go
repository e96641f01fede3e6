package kafkawire

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
)

// ProducerConfig is the setting of a transactional producer.
type ProducerConfig struct {
	// TransactionalID names the one writer whose newest instance fences the older ones.
	TransactionalID string

	// Timeout is when the brokers abort a transaction that its producer has left open. Until then it holds up every
	// reader of committed data. Default 15 s.
	Timeout time.Duration

	// MaxRequest is how many bytes of records one request carries at most, as far as they are compressed by then; more go
	// in several requests of the same transaction. A record above it goes alone. Where a topic takes less at a time
	// (max.message.bytes), the producer lowers it for good, as often as need be, and fails the transaction each time.
	// Default 900,000.
	MaxRequest int

	// Compression is how batches are compressed. A record above what MaxRequest is by then is in any case.
	Compression kafkabatch.Compression
}

// Membership is who a member of a consumer group is, as its coordinator knows it. The coordinator refuses offsets that
// come under another generation, member or instance. The zero Generation with an empty Member fences nothing.
type Membership struct {
	Group      string
	Generation int32
	Member     string
	Instance   string // empty: not a static member
}

// Transaction is what one transaction does: it moves the group's offset and writes records. Without a group it writes
// records alone, of which there must be one.
type Transaction struct {
	Membership
	Topic     string // the input
	Partition int32
	Offset    int64
	Metadata  string
	Records   iter.Seq[pipeline.Outgoing] // what a record aliases is copied before the next; nil: none
}

// reach says up to where t moves the offset, for errors.
func (t *Transaction) reach() string {
	if t.Group == "" {
		return ""
	}
	return fmt.Sprintf(" up to offset %d of %s/%d", t.Offset, t.Topic, t.Partition)
}

// Producer runs one transaction after another under one transactional id. One goroutine may use it at a time.
type Producer struct {
	client   *Client
	cfg      ProducerConfig
	most     int // bytes of a request, by now
	route    Route
	only1    bool // never use transactions of version 2
	started  bool
	v2       bool
	id       kafkabatch.ProducerID
	sequence map[target]int32

	batches    map[target]*kafkabatch.Builder // to be sent next
	order      []target                       // keys of batches in use, in the order of their first record
	added      map[target]bool                // part of the transaction (version 1)
	compressor kafkabatch.Compressor
}

// NewProducer makes a Producer. Init starts it.
func (c *Client) NewProducer(cfg ProducerConfig) (*Producer, error) {
	if cfg.TransactionalID == "" {
		return nil, errors.New("new producer: no transactional id")
	}
	if cfg.Timeout < 0 || cfg.MaxRequest < 0 {
		return nil, fmt.Errorf("new producer: timeout %v, requests of %d bytes", cfg.Timeout, cfg.MaxRequest)
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 15 * time.Second
	}
	if cfg.MaxRequest == 0 {
		cfg.MaxRequest = 900_000
	}
	return &Producer{
		client: c, cfg: cfg, most: cfg.MaxRequest, route: ToTransaction(cfg.TransactionalID),
		sequence: make(map[target]int32), batches: make(map[target]*kafkabatch.Builder), added: make(map[target]bool),
		compressor: kafkabatch.Compressor{How: cfg.Compression},
	}, nil
}

// Init takes over the transactional id. On nil every earlier transaction under it has ended, committed or aborted, and
// every earlier owner is fenced. Repeating it is safe. Errors: pipeline.ErrUnavailable, pipeline.ErrFenced where
// somebody else did the same at the same time.
func (p *Producer) Init(ctx context.Context) error {
	p.started = false
	known, err := p.client.learn(ctx)
	if err != nil {
		return fmt.Errorf("start producer: %w", err)
	}
	req := kmsg.NewPtrInitProducerIDRequest()
	req.TransactionalID = &p.cfg.TransactionalID
	req.TransactionTimeoutMillis = int32(p.cfg.Timeout.Milliseconds())
	req.ProducerID, req.ProducerEpoch = -1, -1
	answer, err := p.client.askSafe(ctx, p.route, req, func(r kmsg.Response) int16 {
		return r.(*kmsg.InitProducerIDResponse).ErrorCode
	})
	if err != nil {
		return fmt.Errorf("start producer %s: %w", p.cfg.TransactionalID, err)
	}
	got := answer.(*kmsg.InitProducerIDResponse)
	p.id = kafkabatch.ProducerID{ID: got.ProducerID, Epoch: got.ProducerEpoch, Transactional: true}
	p.v2 = known.transactionsV2() && !p.only1
	clear(p.sequence)
	p.started = true
	return nil
}

// Commit runs t as one transaction. After any error the producer has to be started anew with Init. Errors:
// pipeline.ErrFenced (the transaction is not committed and never will be), pipeline.ErrUnavailable (unknown; not
// committed where a topic takes less at a time), *pipeline.HardStop for a record that its topic does not take.
func (p *Producer) Commit(ctx context.Context, t *Transaction) error {
	if !p.started {
		return fmt.Errorf("%w: %w", pipeline.ErrUnavailable, errNotStarted)
	}
	p.started = false
	if err := p.fill(ctx, t); err != nil {
		p.abandon(ctx, err)
		return fmt.Errorf("transaction%s: %w", t.reach(), err)
	}
	if err := p.end(ctx, true); err != nil {
		return fmt.Errorf("commit%s: %w", t.reach(), err)
	}
	p.started = true
	return nil
}

// fill opens the transaction and puts everything into it. The offset goes first: its answer says that the markers of
// the transaction before are not all written yet, where Produce would be held up in the broker for 20 ms without a
// word.
func (p *Producer) fill(ctx context.Context, t *Transaction) error {
	clear(p.added)
	if t.Group == "" {
		return p.produce(ctx, t)
	}
	if !p.v2 {
		if err := p.addOffsets(ctx, t.Group); err != nil {
			return err
		}
	}
	if err := p.commitOffset(ctx, t); err != nil {
		return err
	}
	return p.produce(ctx, t)
}

// abandon aborts the transaction after a clear refusal, so that readers need not wait for its timeout. Whether that
// succeeds changes nothing: Init comes next.
func (p *Producer) abandon(ctx context.Context, err error) {
	var code Error
	var stop *pipeline.HardStop
	if !errors.As(err, &code) && !errors.As(err, &stop) || code == ProducerFenced || code == InvalidProducerEpoch {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = p.end(ctx, false)
}

// end commits or aborts. In version 2 the answer brings the epoch of the next transaction, with sequences from 0.
func (p *Producer) end(ctx context.Context, commit bool) error {
	req := kmsg.NewPtrEndTxnRequest()
	req.TransactionalID = p.cfg.TransactionalID
	req.ProducerID, req.ProducerEpoch = p.id.ID, p.id.Epoch
	req.Commit = commit
	if p.v2 {
		req.Version = endTxnV2
	}
	answer, err := p.client.ask(
		ctx,
		p.route,
		req,
		func(r kmsg.Response) int16 { return r.(*kmsg.EndTxnResponse).ErrorCode },
	)
	if err != nil {
		return err
	}
	if got := answer.(*kmsg.EndTxnResponse); p.v2 && got.ProducerID >= 0 {
		if got.ProducerID != p.id.ID || got.ProducerEpoch != p.id.Epoch {
			clear(p.sequence)
		}
		p.id.ID, p.id.Epoch = got.ProducerID, got.ProducerEpoch
	}
	return nil
}
