package connect

import (
	"context"
	"fmt"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/pipeline/kafkawire"
)

// AwaitEmpty waits until the group has no member left, for as long as the session of a stopped one may last. It calls
// waiting once if there is any.
func AwaitEmpty(
	ctx context.Context,
	client *kafkawire.Client,
	cfg *config.Config,
	waiting func(members int),
) error {
	deadline := time.Now().Add(cfg.Kafka.SessionTimeout + 2*time.Second)
	for told := false; ; told = true {
		found, err := client.DescribeGroup(ctx, cfg.Kafka.Group)
		if err != nil {
			return err
		}
		if len(found.Members) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return HasMembers(cfg, found.Members)
		}
		if !told {
			waiting(len(found.Members))
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// HasMembers refuses what must not be done while the group works.
func HasMembers(cfg *config.Config, members []kafkawire.GroupMember) error {
	return advice.Add(
		fmt.Errorf(
			"group %s still has %s, the first on %s",
			cfg.Kafka.Group,
			advice.Plural(len(members), "member"),
			members[0].Host,
		),
		"stop every process of the group first",
	)
}
