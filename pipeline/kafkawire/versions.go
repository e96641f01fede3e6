package kafkawire

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// span is a range of versions of one kind of request.
type span struct{ least, most int16 }

// spoken lists the versions that ebb speaks: from the oldest that carries what ebb relies on to the newest tried. Kafka
// 2.8 knows all the least ones.
func spoken(k kmsg.Key) (span, bool) {
	s, ok := map[kmsg.Key]span{
		kmsg.Produce:            {9, 9}, // 12 in transactions of version 2, set there
		kmsg.Fetch:              {11, 11},
		kmsg.ListOffsets:        {4, 7},
		kmsg.Metadata:           {10, 12}, // topic ids
		kmsg.OffsetFetch:        {7, 7},   // stable offsets
		kmsg.FindCoordinator:    {3, 3},
		kmsg.JoinGroup:          {5, 9}, // static members
		kmsg.Heartbeat:          {3, 4},
		kmsg.LeaveGroup:         {3, 5},
		kmsg.SyncGroup:          {3, 5},
		kmsg.DescribeGroups:     {4, 5},
		kmsg.ListGroups:         {3, 4},
		kmsg.ApiVersions:        {3, 3}, // finalized features
		kmsg.CreateTopics:       {5, 7},
		kmsg.InitProducerID:     {3, 4},
		kmsg.AddPartitionsToTxn: {1, 3},
		kmsg.AddOffsetsToTxn:    {1, 3},
		kmsg.EndTxn:             {1, 3}, // 5 in transactions of version 2, set there
		kmsg.TxnOffsetCommit:    {3, 3}, // generation and member; 5 in transactions of version 2, set there
		kmsg.DescribeConfigs:    {1, 4},
		kmsg.OffsetDelete:       {0, 0},

		kmsg.ConsumerGroupDescribe: {0, 1},
		kmsg.DescribeProducers:     {0, 0},
		kmsg.DescribeTransactions:  {0, 0},
		kmsg.ListTransactions:      {0, 0},
	}[k]
	return s, ok
}

// Versions of requests in transactions of version 2.
const (
	produceV2         = 12
	endTxnV2          = 5
	txnOffsetCommitV2 = 5
)

// apis is what the brokers said they can do.
type apis struct {
	versions           map[int16]span
	transactionVersion int16 // finalized; 0: transactions of version 1 only
}

// setVersion gives req the version to speak, unless it has one.
func (c *Client) setVersion(ctx context.Context, req kmsg.Request) error {
	if req.GetVersion() > 0 {
		return nil
	}
	ours, ok := spoken(kmsg.Key(req.Key()))
	if !ok {
		panic("BUG: no versions listed for " + kmsg.NameForKey(req.Key()))
	}
	if req.Key() == int16(kmsg.ApiVersions) { // the question itself
		req.SetVersion(ours.most)
		return nil
	}
	known, err := c.known(ctx)
	if err != nil {
		return err
	}
	theirs, ok := known.versions[req.Key()]
	if !ok || theirs.most < ours.least || theirs.least > ours.most {
		return fmt.Errorf("%s: brokers speak versions %d to %d, ebb %d to %d: %w",
			kmsg.NameForKey(req.Key()), theirs.least, theirs.most, ours.least, ours.most, UnsupportedVersion)
	}
	req.SetVersion(min(ours.most, theirs.most))
	return nil
}

// known returns what the brokers can do, asked once.
func (c *Client) known(ctx context.Context) (*apis, error) {
	c.mu.Lock()
	known := c.apis
	c.mu.Unlock()
	if known != nil {
		return known, nil
	}
	return c.learn(ctx)
}

// learn asks a broker what it can do. A cluster in the middle of an upgrade may answer differently later.
func (c *Client) learn(ctx context.Context) (*apis, error) {
	req := kmsg.NewPtrApiVersionsRequest()
	req.ClientSoftwareName, req.ClientSoftwareVersion = "ebb", "1"
	answer, err := c.Request(ctx, ToAny(), req)
	if err != nil {
		return nil, err
	}
	res := answer.(*kmsg.ApiVersionsResponse)
	if res.ErrorCode != 0 {
		return nil, fmt.Errorf("ask for api versions: %w", Error(res.ErrorCode))
	}
	known := &apis{versions: make(map[int16]span, len(res.ApiKeys))}
	for _, k := range res.ApiKeys {
		known.versions[k.ApiKey] = span{k.MinVersion, k.MaxVersion}
	}
	for _, f := range res.FinalizedFeatures {
		if f.Name == "transaction.version" {
			known.transactionVersion = f.MaxVersionLevel
		}
	}
	c.mu.Lock()
	c.apis = known
	c.mu.Unlock()
	return known, nil
}

// transactionsV2 reports whether transactions of version 2 can be used.
func (a *apis) transactionsV2() bool {
	return a.transactionVersion >= 2 && a.versions[int16(kmsg.Produce)].most >= produceV2 &&
		a.versions[int16(kmsg.EndTxn)].most >= endTxnV2 && a.versions[int16(kmsg.TxnOffsetCommit)].most >= txnOffsetCommitV2
}
