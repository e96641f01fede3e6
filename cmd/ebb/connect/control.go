package connect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ebb/cmd/ebb/config"
	"ebb/pipeline"
	"ebb/pipeline/kafkascan"
	"ebb/pipeline/kafkasource"
	"ebb/pipeline/kafkawire"
	"ebb/sinks/format"
)

// Control is where a group's control records stand.
type Control struct {
	Topic      string   // new ones are written here
	ID         string   // of the topic
	Partitions int32    // of it
	Earlier    []string // topics that may hold earlier ones
	Missing    bool     // the configured topic is not there; Topic is the one that the group used before it had its own
}

// FindControl finds the topic of control records. While it does not exist, a group whose records stand in the one that
// all groups shared goes on there. The client has to know all of config.Kafka.AllControl. Errors:
// kafkawire.UnknownTopicOrPartition where the topic has to be created, those of the client.
func FindControl(ctx context.Context, client *kafkawire.Client, cfg *config.Config) (c Control, err error) {
	k := &cfg.Kafka
	topic, err := client.Topic(ctx, k.Control)
	missing := errors.Is(err, kafkawire.UnknownTopicOrPartition) || errors.Is(err, kafkawire.TopicDenied)
	if k.OldControl == "" || err != nil && !missing {
		return Control{Topic: k.Control, ID: topic.ID, Partitions: topic.Partitions}, err
	}
	old, failed := client.Topic(ctx, k.OldControl)
	gone := errors.Is(failed, kafkawire.UnknownTopicOrPartition) || errors.Is(failed, kafkawire.TopicDenied)
	switch {
	case gone:
		return Control{Topic: k.Control, ID: topic.ID, Partitions: topic.Partitions}, err
	case failed != nil:
		return c, failed
	case err == nil:
		return Control{Topic: k.Control, ID: topic.ID, Partitions: topic.Partitions, Earlier: []string{k.OldControl}}, nil
	}
	holds, failed := holdsControl(ctx, client, cfg, &old)
	switch {
	case failed != nil:
		return c, failed
	case !holds:
		return Control{Topic: k.Control}, err
	}
	return Control{Topic: k.OldControl, ID: old.ID, Partitions: old.Partitions, Missing: true}, nil
}

// controlPatience is how long the search for a group's control records waits for those behind an open transaction.
const controlPatience = 10 * time.Second

// errHolds ends the search.
var errHolds = errors.New("found")

// holdsControl reports whether a topic holds control records of the group, or of one of its shadows.
func holdsControl(ctx context.Context, client *kafkawire.Client, cfg *config.Config, t *kafkawire.Topic) (bool, error) {
	groups := []string{cfg.Kafka.Group}
	for _, name := range cfg.ShadowNames() {
		groups = append(groups, cfg.Kafka.ShadowGroup(name))
	}
	for n := range t.Partitions {
		start, end, err := client.StableBounds(ctx, t.Name, n)
		if err != nil {
			return false, err
		}
		scan := kafkascan.Scan{
			Client: client, Topic: t.Name, Partition: n, From: start, To: end, Patience: controlPatience,
			Record: func(r *pipeline.Record) error {
				for _, g := range groups {
					if strings.HasPrefix(string(r.Key), g+"/"+cfg.Kafka.Input+"/") {
						return errHolds
					}
				}
				return nil
			},
		}
		switch err := scan.Run(ctx); {
		case errors.Is(err, errHolds):
			return true, nil
		case err != nil:
			return false, fmt.Errorf("look for control records in %s/%d: %w", t.Name, n, err)
		}
	}
	return false, nil
}

// Ledger reads the packs and control records of the configuration's groups.
func (c *Control) Ledger(client *kafkawire.Client, cfg *config.Config) *kafkasource.Ledger {
	return &kafkasource.Ledger{
		Client:         client,
		Control:        append(slices.Clip(c.Earlier), c.Topic),
		PackTopic:      cfg.Kafka.Packs,
		PacksPartition: format.PacksPartition,
	}
}
