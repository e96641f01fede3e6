package kafkawire

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// OpenTransaction is a transaction that holds up the readers of committed records of a partition.
type OpenTransaction struct {
	From       int64         // offset of its first record there; -1: not told
	ID         string        // transactional id; empty: no coordinator knows of it, and it does not end by itself
	Unsure     bool          // the brokers do not tell, or not us, whether one knows of it
	Producer   int64         // producer id
	Began      time.Time     // zero: not told
	Timeout    time.Duration // after which its coordinator aborts it; 0: not told
	LastRecord time.Time     // when its newest record there was written
}

// OpenTransactions are those in a partition, as its leader tells. Errors: UnsupportedVersion, TopicDenied,
// pipeline.ErrUnavailable.
func (c *Client) OpenTransactions(
	ctx context.Context,
	topic string,
	partition int32,
) (open []OpenTransaction, err error) {
	req := kmsg.NewPtrDescribeProducersRequest()
	t := kmsg.NewDescribeProducersRequestTopic()
	t.Topic, t.Partitions = topic, []int32{partition}
	req.Topics = append(req.Topics, t)
	answer, err := c.askSafe(ctx, ToLeader(topic, partition), req, func(r kmsg.Response) int16 {
		for _, t := range r.(*kmsg.DescribeProducersResponse).Topics {
			for _, p := range t.Partitions {
				return p.ErrorCode
			}
		}
		return 0
	})
	if err != nil {
		return nil, fmt.Errorf("describe producers of %s/%d: %w", topic, partition, err)
	}
	for _, t := range answer.(*kmsg.DescribeProducersResponse).Topics {
		for _, p := range t.Partitions {
			for _, a := range p.ActiveProducers {
				if a.CurrentTxnStartOffset >= 0 {
					open = append(open, OpenTransaction{
						From: a.CurrentTxnStartOffset, Producer: a.ProducerID, LastRecord: time.UnixMilli(a.LastTimestamp),
					})
				}
			}
		}
	}
	for i := range open {
		if err := c.findCoordinated(ctx, &open[i]); err != nil {
			open[i].Unsure = true
		}
	}
	return open, nil
}

// findCoordinated asks every broker, each of which knows the transactions that it coordinates, for the one of a
// producer.
func (c *Client) findCoordinated(ctx context.Context, o *OpenTransaction) error {
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{} // of none
	brokers, err := c.askSafe(ctx, ToAny(), req, func(kmsg.Response) int16 { return 0 })
	if err != nil {
		return fmt.Errorf("list brokers: %w", err)
	}
	var failed error
	for _, b := range brokers.(*kmsg.MetadataResponse).Brokers {
		list := kmsg.NewPtrListTransactionsRequest()
		list.ProducerIDFilters = []int64{o.Producer}
		answer, err := c.askSafe(ctx, toNode(b.NodeID), list, func(r kmsg.Response) int16 {
			return r.(*kmsg.ListTransactionsResponse).ErrorCode
		})
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("list transactions of broker %d: %w", b.NodeID, err))
			continue
		}
		for _, s := range answer.(*kmsg.ListTransactionsResponse).TransactionStates {
			if o.ID = s.TransactionalID; o.ID != "" {
				return c.describeTransaction(ctx, o)
			}
		}
	}
	// A transaction that we may not see is not listed. One of a broker that is away is not either.
	o.Unsure = time.Since(o.LastRecord) < longestTransaction
	return failed
}

// longestTransaction is transaction.max.timeout.ms, unless changed: an older one that no coordinator lists hangs.
const longestTransaction = 15 * time.Minute

// Transaction describes a transaction by its id. False: none is open under it. Errors: TransactionDenied,
// UnsupportedVersion, pipeline.ErrUnavailable.
func (c *Client) Transaction(ctx context.Context, id string) (o OpenTransaction, open bool, err error) {
	o = OpenTransaction{ID: id, From: -1}
	err = c.describeTransaction(ctx, &o)
	return o, !o.Began.IsZero(), err
}

func (c *Client) describeTransaction(ctx context.Context, o *OpenTransaction) error {
	const notFound = 105
	req := kmsg.NewPtrDescribeTransactionsRequest()
	req.TransactionalIDs = []string{o.ID}
	answer, err := c.askSafe(ctx, ToTransaction(o.ID), req, func(r kmsg.Response) int16 {
		for _, s := range r.(*kmsg.DescribeTransactionsResponse).TransactionStates {
			if s.ErrorCode != notFound {
				return s.ErrorCode
			}
		}
		return 0
	})
	if err != nil {
		return fmt.Errorf("describe transaction %s: %w", o.ID, err)
	}
	for _, s := range answer.(*kmsg.DescribeTransactionsResponse).TransactionStates {
		o.Timeout = time.Duration(s.TimeoutMillis) * time.Millisecond
		if s.StartTimestamp > 0 && s.State != "CompleteCommit" && s.State != "CompleteAbort" {
			o.Began = time.UnixMilli(s.StartTimestamp)
		}
	}
	return nil
}

// CodeTransactionOpen is the code of what waits for a transaction to end; docs/runbook.md explains it.
const CodeTransactionOpen = "transaction_open"

// EndTransaction is what to do about a transaction that is open from an offset of a partition on.
func EndTransaction(brokers, topic string, partition int32, from int64) string {
	return fmt.Sprintf("wait: the brokers abort it once its producer's transaction.timeout.ms has passed "+
		"(transaction.max.timeout.ms at most, 15 minutes unless changed); or, where its producer is gone for good:\n"+
		"kafka-transactions.sh --bootstrap-server %s abort --topic %s --partition %d --start-offset %d",
		strings.ReplaceAll(brokers, ", ", ","), topic, partition, from)
}
