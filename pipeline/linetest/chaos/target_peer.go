package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline/linetest/oracle"
)

// peerTarget is one of the simple processors of command peers: see there.
type peerTarget struct{ *run }

func (t peerTarget) command(_ int, _, kafka, redis string) ([]string, error) {
	return []string{
		t.peers, "-kafka", kafka, "-redis", redis, "-group", groupName, "-input", inputTopic, "-alerts", alertTopic,
		"-session", session.String(), t.target,
	}, nil
}

func (t peerTarget) begun(context.Context) error {
	if alerts, _, _ := t.reader.seen(); alerts == 0 {
		return errors.New("no alert is published")
	}
	return nil
}

// caughtUp is nil once the group's offsets are past every record. After the last one there may be the end of a
// transaction, which not every client counts.
func (t peerTarget) caughtUp(ctx context.Context) error {
	ends, err := t.topics.stable(ctx, inputTopic)
	if err != nil {
		return err
	}
	committed, err := t.topics.committed(ctx)
	if err != nil {
		return err
	}
	const markers = 4 // of transactions that were aborted before they wrote a record here
	for p := range partitions {
		if committed[p]+markers < ends[p] {
			return fmt.Errorf("partition %d: committed %d of %d", p, committed[p], ends[p])
		}
	}
	return nil
}

// judge counts the input's events in the way the peers should have.
func (t peerTarget) judge(ctx context.Context) (*verdict, error) {
	input, err := t.everything(ctx)
	if err != nil {
		return nil, err
	}
	stored, err := t.redis.Client().HGetAll(ctx, "peer:counts").Result()
	if err != nil {
		return nil, err
	}
	counts, alerts := counted(input)
	v := &verdict{Events: len(input), Alerts: len(alerts), Customers: len(counts)}
	v.alerts(alerts, t.reader)
	for customer, n := range counts {
		if stored[customer] != strconv.Itoa(n) {
			v.Miscounted++
			v.Examples.add("customer %s: counted %s events, there are %d", customer, stored[customer], n)
		}
	}
	return v, nil
}

// counted counts each customer's events, and returns an alert for every tenth.
func counted(input []*kgo.Record) (map[string]int, []oracle.Alert) {
	counts := map[string]int{}
	var alerts []oracle.Alert
	for _, rec := range input {
		var e struct {
			Customer string `json:"customer"`
		}
		if json.Unmarshal(rec.Value, &e) != nil || e.Customer == "" {
			continue
		}
		counts[e.Customer]++
		if n := counts[e.Customer]; n%10 == 0 {
			alerts = append(alerts, oracle.Alert{
				Customer: e.Customer, Transition: "tenth", Episode: n / 10, Sequence: 1, Seconds: time.Time{}.Unix(),
			})
		}
	}
	return counts, alerts
}
