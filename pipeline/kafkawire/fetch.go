package kafkawire

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
)

// fetchVersion is the last version of Fetch without tagged fields. Brokers from Kafka 2.3 on speak it, 4.x included.
const fetchVersion = 11

// FetchConfig says what one Fetcher reads and how much of it at a time.
type FetchConfig struct {
	Topic     string
	Partition int32

	// MaxBytes is how much one answer should hold at most, as stored in the log. A single batch above it is still
	// delivered. Default 4 MiB.
	MaxBytes int32

	// MaxWait is how long the broker may wait for the first record. Default 250 ms.
	MaxWait time.Duration

	// Linger is how long the broker gathers records before it answers, while records flow: a few large answers cost much
	// less than many small ones. The first record after a pause never waits. Default 0: answer at once.
	Linger time.Duration

	// MaxInflated bounds what one answer may decompress to, so that a few bytes cannot take the process's memory: the
	// answer ends before the batch that would exceed it. Default 256 MiB.
	MaxInflated int
}

// Validate reports settings out of range.
func (c *FetchConfig) Validate() error {
	var errs []error
	if c.Topic == "" || len(c.Topic) > 249 {
		errs = append(errs, fmt.Errorf("topic name of %d bytes", len(c.Topic)))
	}
	if c.MaxBytes < 0 || c.MaxBytes > maxAnswer/2 {
		errs = append(errs, fmt.Errorf("fetch of %d bytes at most", c.MaxBytes))
	}
	if c.MaxWait < 0 || c.MaxWait > time.Minute {
		errs = append(errs, fmt.Errorf("fetch waits for %v", c.MaxWait))
	}
	if c.Linger < 0 || c.Linger > time.Minute {
		errs = append(errs, fmt.Errorf("fetch lingers for %v", c.Linger))
	}
	if c.MaxInflated < 0 {
		errs = append(errs, fmt.Errorf("%d bytes inflated at most", c.MaxInflated))
	}
	return errors.Join(errs...)
}

// Fetcher reads the committed records of one partition. One goroutine may use it at a time.
type Fetcher struct {
	client  *Client
	route   Route
	timeout time.Duration
	request []byte // whole; correlation id, wait and offset are set anew each time
	waitAt  int    // where the waiting time stands in request, and behind it the bytes to wait for
	offset  int    // where the offset stands in request
	maxWait time.Duration
	linger  time.Duration
	flowing bool // the last answer held records
	reader  answerReader
}

// NewFetcher makes a Fetcher.
func (c *Client) NewFetcher(cfg FetchConfig) (*Fetcher, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("new fetcher: %w", err)
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = 4 << 20
	}
	if cfg.MaxWait == 0 {
		cfg.MaxWait = 250 * time.Millisecond
	}
	if cfg.MaxInflated == 0 {
		cfg.MaxInflated = maxAnswer
	}
	f := &Fetcher{
		client:  c,
		maxWait: cfg.MaxWait,
		linger:  cfg.Linger,
		route:   ToLeader(cfg.Topic, cfg.Partition),
		timeout: c.timeout + cfg.MaxWait,
		reader:  answerReader{topic: cfg.Topic, partition: cfg.Partition, batches: kafkabatch.NewReader(cfg.MaxInflated)},
	}
	f.request, f.waitAt, f.offset = appendFetch(c.clientID, &cfg)
	return f, nil
}

// Fetch fills out with the committed records from offset on, in order, without markers and without aborted ones, and
// waits up to MaxWait where there are none. out.Next is where to go on: beyond the last batch seen, so that markers and
// gaps left by compaction are passed. What out held before is lost. A leader that has moved or a connection that broke
// is no error before the request timeout has passed. Errors: pipeline.ErrOutOfRange, pipeline.ErrUnavailable,
// *pipeline.HardStop for a log in a format before 0.11, and for a batch that alone inflates beyond MaxInflated.
func (f *Fetcher) Fetch(ctx context.Context, offset int64, out *pipeline.Fetched) error {
	_, err := repeat(ctx, f.client, f.timeout, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, f.once(ctx, offset, out)
	}, refusedOrLost)
	if err != nil {
		return fmt.Errorf("fetch %s/%d from %d: %w", f.route.topic, f.route.partition, offset, err)
	}
	return nil
}

func (f *Fetcher) once(ctx context.Context, offset int64, out *pipeline.Fetched) error {
	binary.BigEndian.PutUint32(f.request[8:], uint32(f.client.serial.Add(1)))
	binary.BigEndian.PutUint64(f.request[f.offset:], uint64(offset))
	f.setWait()
	x := &exchange{
		ctx:      ctx,
		to:       f.route,
		key:      int16(kmsg.Fetch),
		request:  f.request,
		answer:   out.Raw[:0],
		throttle: f.throttle,
	}
	err := f.client.send(x)
	out.Raw, out.Records, out.Markers = x.answer, out.Records[:0], out.Markers[:0]
	if err != nil {
		return err
	}
	err = f.reader.read(x.answer[4:], offset, out)
	f.flowing = err == nil && len(out.Records) > 0
	return err
}

// throttle reads for how long the broker mutes the connection: the first thing in an answer.
func (f *Fetcher) throttle(answer []byte) time.Duration {
	if len(answer) < 8 {
		return 0
	}
	millis := int32(binary.BigEndian.Uint32(answer[4:]))
	return f.client.throttled(int16(kmsg.Fetch), time.Duration(millis)*time.Millisecond)
}

// lingerBytes is how many bytes the broker gathers at most while it lingers.
const lingerBytes = 256 << 10

// setWait asks for the first record at once while nothing flows, and for a fuller answer while records do.
func (f *Fetcher) setWait() {
	wait, least := f.maxWait, uint32(1)
	if f.flowing && f.linger > 0 {
		wait, least = f.linger, lingerBytes
	}
	binary.BigEndian.PutUint32(f.request[f.waitAt:], uint32(wait.Milliseconds()))
	binary.BigEndian.PutUint32(f.request[f.waitAt+4:], least)
}

// Close frees the decompressors' memory. The Fetcher may not be used afterwards.
func (f *Fetcher) Close() { f.reader.batches.Close() }

// appendFetch encodes a whole request for one partition and tells where its waiting time and its offset stand.
func appendFetch(clientID string, cfg *FetchConfig) (b []byte, waitAt, offset int) {
	be := binary.BigEndian
	b = append(b, 0, 0, 0, 0) // size
	b = be.AppendUint16(b, uint16(kmsg.Fetch))
	b = be.AppendUint16(b, fetchVersion)
	b = be.AppendUint32(b, 0) // correlation id
	b = appendString(b, clientID)
	b = be.AppendUint32(b, math.MaxUint32) // replica id -1: a consumer
	waitAt = len(b)
	b = be.AppendUint32(b, uint32(cfg.MaxWait.Milliseconds()))
	b = be.AppendUint32(b, 1) // bytes at least
	b = be.AppendUint32(b, uint32(cfg.MaxBytes))
	b = append(b, 1)                       // read committed
	b = be.AppendUint32(b, 0)              // no fetch session
	b = be.AppendUint32(b, math.MaxUint32) // and none wanted
	b = be.AppendUint32(b, 1)              // topics
	b = appendString(b, cfg.Topic)
	b = be.AppendUint32(b, 1) // partitions
	b = be.AppendUint32(b, uint32(cfg.Partition))
	b = be.AppendUint32(b, math.MaxUint32) // leader epoch not known
	offset = len(b)
	b = be.AppendUint64(b, 0)
	b = be.AppendUint64(b, math.MaxUint64) // log start: for followers only
	b = be.AppendUint32(b, uint32(cfg.MaxBytes))
	b = be.AppendUint32(b, 0) // topics to forget
	b = appendString(b, "")   // rack
	be.PutUint32(b, uint32(len(b)-4))
	return b, waitAt, offset
}

func appendString(b []byte, s string) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(s)))
	return append(b, s...)
}
