package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// stretch is a stretch of live events that continues the load: same records, same events per day of event time, so that
// deadlines fall due and episodes open as before. At even distances it has one event of each customer with an open
// episode, and every such event must lead to an alert. All other events are of random customers without one.
type stretch struct {
	rate    float64 // events per second of wall time
	events  int
	warm    int               // so many first events are not measured
	open    []string          // customers with an open episode
	every   int               // the distance of their events
	calm    []string          // the other customers
	start   int64             // event time of the first, ms
	spacing float64           // ms of event time between events
	roll    bool              // the first events are of the calm customers in their order, one for each
	clock   func(n int) int64 // event time of event n, ms; nil: by start and spacing

	codec kgo.CompressionCodec // of the batches; the zero value: none
	began time.Time
	sent  []time.Duration // since began, by event; nil: not recorded
}

// minDistance bounds the share of recoveries to one event in so many, about as in the load.
const minDistance = 20

func (g *group) newStretch(ctx context.Context, rate float64, open []string) (*stretch, error) {
	end, err := g.prepare(ctx)
	if err != nil {
		return nil, err
	}
	warm := int(rate * g.live.Seconds() / 4)
	s := &stretch{rate: rate, events: warm + int(rate*g.live.Seconds()), warm: warm, open: open, start: end + 1}
	s.spacing = (time.Duration(g.Days) * 24 * time.Hour).Seconds() * 1e3 / float64(g.Events)
	s.every = max(minDistance, s.events/max(len(open), 1))
	s.sent = make([]time.Duration, s.events)
	known := make(map[string]bool, len(open))
	for _, c := range open {
		known[c] = true
	}
	for i := range g.Customers {
		if c := fmt.Sprintf("c-%08d", i); !known[c] {
			s.calm = append(s.calm, c)
		}
	}
	if len(s.open) == 0 || len(s.calm) == 0 || s.planned() == 0 {
		return nil, errors.New("the load leaves too few customers with an open episode, or without")
	}
	return s, nil
}

// prepare returns the latest event time in the topic. From there a stretch may run beyond today, since a day of event
// time takes as many events as in the load. By default Kafka refuses timestamps an hour ahead, in the input and in the
// alerts.
func (g *group) prepare(ctx context.Context) (newest int64, err error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(g.kafka))
	if err != nil {
		return 0, err
	}
	defer cl.Close()
	admin := kadm.NewClient(cl)
	forever := strconv.FormatInt(math.MaxInt64, 10)
	altered, err := admin.AlterTopicConfigs(
		ctx,
		[]kadm.AlterConfig{{Name: "message.timestamp.after.max.ms", Value: &forever}},
		input,
		g.alerts,
	)
	for _, a := range altered {
		err = errors.Join(err, a.Err)
	}
	if err != nil {
		return 0, err
	}
	offsets, err := admin.ListMaxTimestampOffsets(ctx, input)
	offsets.Each(func(o kadm.ListedOffset) { newest = max(newest, o.Timestamp) })
	return newest, errors.Join(err, offsets.Error())
}

// due reports whether event n ends an episode that was open before the stretch.
func (s *stretch) due(n int) bool { return n%s.every == 0 && n/s.every < len(s.open) }

// planned is how many such events there are.
func (s *stretch) planned() int { return min((s.events+s.every-1)/s.every, len(s.open)) }

// produce sends events at their rate. If the brokers accept them more slowly it falls behind, which the rate produced
// shows.
func (s *stretch) produce(ctx context.Context, brokers string) error {
	cl, err := kgo.NewClient(
		kgo.SeedBrokers(brokers),
		kgo.DefaultProduceTopic(input),
		kgo.MaxBufferedRecords(200_000),
		kgo.ProducerLinger(
			5*time.Millisecond,
		),
		kgo.ProducerBatchCompression(s.codec),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)),
	)
	if err != nil {
		return err
	}
	defer cl.Close()
	var failed atomic.Pointer[error]
	promise := func(_ *kgo.Record, err error) {
		if err != nil {
			failed.CompareAndSwap(nil, &err)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	s.began = time.Now()
	for n := 0; n < s.events; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		for until := min(int(time.Since(s.began).Seconds()*s.rate), s.events); n < until; n++ {
			record := s.record(n, r)
			if s.sent != nil {
				s.sent[n] = time.Since(s.began)
			}
			cl.Produce(ctx, record, promise)
		}
	}
	if err := cl.Flush(ctx); err != nil {
		return err
	}
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// types of live events, weighted as in the load: one in ten is friction.
var types = [...]string{
	"Product Viewed",
	"Product Viewed",
	"Product Viewed",
	"Product Added",
	"Products Searched",
	"Order Completed",
	"Signed In",
	"Signed In",
	"Support Ticket Opened",
	"Payment Failed",
}

func (s *stretch) record(n int, r *rand.Rand) *kgo.Record {
	customer, kind := s.calm[r.IntN(len(s.calm))], types[r.IntN(len(types))]
	switch {
	case s.due(n):
		customer, kind = s.open[n/s.every], "Order Completed"
	case s.roll && n < len(s.calm):
		customer = s.calm[n]
	}
	ms := s.start + int64(float64(n)*s.spacing)
	if s.clock != nil {
		ms = s.clock(n)
	}
	at := time.UnixMilli(ms).UTC()
	b := make([]byte, 0, 256)
	b = append(b, `{"id":"`+idPrefix...)
	b = padded(b, n, 9)
	b = append(b, `","customer":"`...)
	b = append(b, customer...)
	b = append(b, `","type":"`...)
	b = append(b, kind...)
	b = at.AppendFormat(append(b, `","time":"`...), "2006-01-02T15:04:05.000Z")
	b = strconv.AppendInt(append(b, `","value":"`...), int64(1+n%199), 10)
	b = padded(append(b, '.'), n%100, 2)
	b = padded(append(b, `","currency":"EUR","tenant":"shop","properties":{"sku":"A-`...), n%30011, 5)
	b = append(b, `","quantity":1,"channel":"web"}}`...)
	return &kgo.Record{Key: []byte(customer), Value: b, Timestamp: at}
}

// idPrefix begins the ids of live events, and of nothing else.
const idPrefix = "live-"

// causedBy finds the live event whose id an alert names as its cause.
func causedBy(alert []byte) (n int, ok bool) {
	i := bytes.LastIndex(alert, []byte(`"`+idPrefix))
	if i < 0 {
		return 0, false
	}
	digits, _, ok := bytes.Cut(alert[i+1+len(idPrefix):], []byte(`"`))
	n, err := strconv.Atoi(string(digits))
	return n, ok && err == nil
}

// padded appends n with at least width digits.
func padded(b []byte, n, width int) []byte {
	from := len(b)
	b = strconv.AppendInt(b, int64(n), 10)
	for len(b)-from < width {
		b = slices.Insert(b, from, '0')
	}
	return b
}
