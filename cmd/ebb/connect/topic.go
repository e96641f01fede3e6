package connect

import (
	"context"
	"errors"
	"fmt"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
)

// noTopicError is the error of a missing topic.
type noTopicError struct{ name, brokers string }

func (e noTopicError) Error() string {
	return fmt.Sprintf("there is no topic %q at %s", e.name, e.brokers)
}

// WithCreate adds to the error of a missing topic the command that creates it.
func WithCreate(err error, command string) error {
	if errors.As(err, new(noTopicError)) {
		return advice.Add(err, "create it:\n  %s", command)
	}
	return err
}

// FindTopic finds a topic that has to exist and to allow what the command needs. Errors: noTopicError,
// *pipeline.Denied, and for others what Explain returns.
func FindTopic(
	ctx context.Context,
	client *kafkawire.Client,
	cfg *config.Config,
	name string,
	needs ...kafkawire.Operation,
) (kafkawire.Topic, error) {
	if err := Dialable(ctx, cfg.Kafka.Brokers); err != nil {
		return kafkawire.Topic{}, noAnswer(err, cfg)
	}
	topic, err := client.Topic(ctx, name)
	if errors.Is(err, kafkawire.UnknownTopicOrPartition) {
		return topic, noTopicError{name, client.Brokers()}
	}
	if denied := checkTopicAllowed(&topic, err, name, needs...); denied != nil {
		return topic, denied
	}
	if err != nil {
		return topic, Explain(err, cfg)
	}
	return topic, nil
}

// Explain words the failure to reach the brokers.
func Explain(err error, cfg *config.Config) error {
	if errors.As(err, new(kafkawire.Error)) || !errors.Is(err, pipeline.ErrUnavailable) {
		return advice.Add(err, "ebb check shows what else may be wrong")
	}
	return noAnswer(err, cfg)
}

func noAnswer(err error, cfg *config.Config) error {
	return NoKafka(err, cfg, "--brokers, ")
}
