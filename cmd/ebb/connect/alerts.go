package connect

import (
	"context"
	"errors"

	"ebb/cmd/ebb/config"
	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
)

// AlertTopics are the topics that hold a group's alerts: with a holdout, and after one, there are two. Errors: those of
// FindTopic.
func AlertTopics(
	ctx context.Context,
	client *kafkawire.Client,
	cfg *config.Config,
	needs ...kafkawire.Operation,
) ([]kafkawire.Topic, error) {
	alerts, err := FindTopic(ctx, client, cfg, cfg.Kafka.Alerts, needs...)
	if err != nil {
		return nil, err
	}
	held, err := FindTopic(ctx, client, cfg, cfg.Kafka.Holdout, needs...)
	switch none := errors.As(err, new(noTopicError)) || errors.As(err, new(*pipeline.Denied)); {
	case err == nil:
		return []kafkawire.Topic{alerts, held}, nil
	case none && !cfg.Holdout.Enabled: // there never was one, as far as this user is told
		return []kafkawire.Topic{alerts}, nil
	}
	return nil, err
}
