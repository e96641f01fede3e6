package embedded

import (
	"errors"
	"testing"

	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
)

// TestKeepsEverything: the embedded topics accept a log of the past, which most trials replay, and the DLQ accepts
// whatever the input does.
func TestKeepsEverything(t *testing.T) {
	cfg := config.Default()
	e, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	client, err := connect.Kafka(cfg, cfg.Kafka.Input)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	largest := map[string]int{}
	for _, name := range []string{cfg.Kafka.Input, cfg.Kafka.Alerts, cfg.Kafka.DLQ()} {
		topic, err := client.Topic(t.Context(), name)
		config, configErr := client.TopicConfig(t.Context(), name)
		if err := errors.Join(err, configErr); err != nil {
			t.Fatal(err)
		}
		largest[name] = config.MaxMessageBytes
		if topic.Partitions != partitions || config.Retention >= 0 || config.RetentionBytes >= 0 {
			t.Errorf(
				"%s has %d partitions and keeps %v, %d bytes",
				name,
				topic.Partitions,
				config.Retention,
				config.RetentionBytes,
			)
		}
	}
	if input, dlq := largest[cfg.Kafka.Input], largest[cfg.Kafka.DLQ()]; dlq < input+connect.DLQHeadroom {
		t.Errorf("the input takes records of %d bytes, its DLQ of %d", input, dlq)
	}
}
