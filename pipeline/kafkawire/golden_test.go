package kafkawire_test

import (
	"encoding/hex"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline/kafkawire"
	"ebb/scoring/scoringtest/golden"
)

func TestFetchRequestGolden(t *testing.T) {
	req := kafkawire.FetchRequest(
		"ebb",
		kafkawire.FetchConfig{Topic: "events", Partition: 3, MaxBytes: 1 << 20, MaxWait: 250 * time.Millisecond},
	)
	golden.File(t, "fetch_request.hex", hex.Dump(req))
	want := kmsg.NewPtrFetchRequest()
	want.Version, want.ReplicaID, want.MaxWaitMillis, want.MinBytes, want.MaxBytes, want.IsolationLevel = 11, -1, 250, 1, 1<<20, 1
	want.SessionID, want.SessionEpoch = 0, -1
	topic, part := kmsg.NewFetchRequestTopic(), kmsg.NewFetchRequestTopicPartition()
	part.Partition, part.PartitionMaxBytes, part.CurrentLeaderEpoch, part.LogStartOffset = 3, 1<<20, -1, -1
	topic.Topic, topic.Partitions = "events", append(topic.Partitions, part)
	want.Topics = append(want.Topics, topic)
	diff := cmp.Diff(kmsg.NewRequestFormatter(kmsg.FormatterClientID("ebb")).AppendRequest(nil, want, 0), req)
	if diff != "" {
		t.Errorf("kmsg encodes it otherwise (-kmsg +ours):\n%s", diff)
	}
}
