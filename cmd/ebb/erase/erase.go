// Package erase asks for the erasure of a customer, by a record in the input.
package erase

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/inspect"
	"ebb/pipeline"
	"ebb/pipeline/decode"
	"ebb/pipeline/kafkabatch"
	"ebb/pipeline/kafkawire"
	"ebb/pipeline/redisstore"
)

// Request is who is to be erased, and why.
type Request struct {
	Tenant, Customer string
	By, Why          string
	Partition        int32 // of the input; -1: those that hold state of the customer, else the one of its key
}

// Plan is where a customer is to be erased.
type Plan struct {
	Group      string  `json:"group"`
	Input      string  `json:"input"`
	Partitions []int32 `json:"partitions"` // of the input, that get a record
	Known      bool    `json:"known"`      // there is state of the customer
	Erased     bool    `json:"erased"`     // the group has erased it; false: it will, when it comes to the record

	request  Request
	before   map[int]int64 // by partition: up to when events counted for nothing before the records are sent
	key      []byte
	identity pipeline.Identity
	clients  connect.Clients
}

// Valid refuses a request that would leave the customer's id behind, or that is none. Errors: advice.UsageError.
func (r *Request) Valid() error {
	switch {
	case r.Customer == "" || len(r.Customer) > pipeline.MaxCustomer:
		return advice.Usage(fmt.Errorf("a customer has 1 to %d bytes", pipeline.MaxCustomer))
	case len(r.Tenant) > pipeline.MaxTenant:
		return advice.Usage(fmt.Errorf("a tenant has at most %d bytes", pipeline.MaxTenant))
	case r.By == "" || r.Why == "":
		return advice.Usage(errors.New("--by and --why are required: they stand in the control record"))
	case strings.Contains(r.By, r.Customer) || strings.Contains(r.Why, r.Customer):
		return advice.Usage(errors.New("--by and --why are kept, and must not hold the customer's id"))
	}
	return nil
}

// Open finds where the customer is. The caller closes the plan unless there is an error.
func Open(ctx context.Context, cfg *config.Config, r Request) (_ *Plan, err error) {
	if err := r.Valid(); err != nil {
		return nil, err
	}
	p := &Plan{
		Group: cfg.Kafka.Group, Input: cfg.Kafka.Input, request: r, before: map[int]int64{},
		key: pipeline.AppendKey(nil, []byte(r.Tenant), []byte(r.Customer)),
	}
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	if p.clients.Kafka, err = connect.Kafka(cfg, cfg.Kafka.Input); err != nil {
		return nil, err
	}
	topic, err := connect.FindTopic(ctx, p.clients.Kafka, cfg, cfg.Kafka.Input, kafkawire.Write)
	if err != nil {
		return nil, err
	}
	if p.clients.Redis, err = connect.Redis(ctx, cfg); err != nil {
		return nil, err
	}
	p.identity = pipeline.Identity{Group: p.Group, Topic: topic.ID}
	return p, p.find(ctx, topic.Partitions)
}

// Close closes the connections.
func (p *Plan) Close() { p.clients.Close() }

// find notes the partitions that get a record.
func (p *Plan) find(ctx context.Context, partitions int32) error {
	_, err := inspect.EachPartition(ctx, p.clients.Redis, p.Group, p.key, func(n int, i *redisstore.Inspection) error {
		p.before[n], _ = i.Meta.Erased.Until(p.identity.ErasedHash(p.key))
		if i.Profile != nil {
			p.Known, p.Partitions = true, append(p.Partitions, int32(n))
		}
		return nil
	})
	switch only := p.request.Partition; {
	case err != nil:
		return err
	case only >= partitions:
		return advice.Usage(fmt.Errorf("%s has no partition %d", p.Input, only))
	case only >= 0:
		p.Partitions = []int32{only}
	case !p.Known:
		p.Partitions = []int32{kafkawire.Partition([]byte(p.request.Customer), partitions)}
	}
	return nil
}

// Send sends the records.
func (p *Plan) Send(ctx context.Context, now time.Time) error {
	out := []pipeline.Outgoing{p.record(now)}
	for _, n := range p.Partitions {
		a, err := p.clients.Kafka.NewAppender(ctx, kafkawire.AppenderConfig{Topic: p.Input, Partition: n})
		if err != nil {
			return err
		}
		if _, err := a.Append(ctx, out); err != nil {
			return err
		}
	}
	return nil
}

// record is keyed as producers key the customer's events.
func (p *Plan) record(now time.Time) pipeline.Outgoing {
	r := &p.request
	value, err := json.Marshal(map[string]string{
		"id": rand.Text(), "type": decode.EraseType, "customer": r.Customer, "tenant": r.Tenant,
		"time": now.UTC().Format("2006-01-02T15:04:05.000Z"),
	})
	if err != nil {
		panic("BUG: texts are JSON: " + err.Error())
	}
	headers := kafkabatch.AppendHeaderCount(nil, 2)
	headers = kafkabatch.AppendHeader(headers, pipeline.EraseHeader, r.By)
	headers = kafkabatch.AppendHeader(headers, pipeline.EraseReason, r.Why)
	return pipeline.Outgoing{
		Topic: p.Input, Key: []byte(r.Customer), Value: value, Headers: headers, Timestamp: now.UnixMilli(),
	}
}

// lookEvery is how often the state is looked at.
const lookEvery = 100 * time.Millisecond

// Await waits until the group has erased the customer, or for so long at most.
func (p *Plan) Await(ctx context.Context, most time.Duration) error {
	for until := time.Now().Add(most); ; {
		if err := p.look(ctx); err != nil || p.Erased || time.Now().After(until) {
			return err
		}
		select {
		case <-time.After(lookEvery):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// look notes whether every partition has erased the customer.
func (p *Plan) look(ctx context.Context) error {
	hash := p.identity.ErasedHash(p.key)
	left := slices.Clone(p.Partitions)
	_, err := inspect.EachPartition(ctx, p.clients.Redis, p.Group, p.key, func(n int, i *redisstore.Inspection) error {
		if until, _ := i.Meta.Erased.Until(hash); until > p.before[n] && i.Profile == nil {
			left = slices.DeleteFunc(left, func(of int32) bool { return of == int32(n) })
		}
		return nil
	})
	p.Erased = len(left) == 0
	return err
}
