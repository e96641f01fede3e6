package kafkasource

import (
	"context"
	"fmt"

	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
)

// Strangers looks for members of the group that do not share its work: of another input, or a consumer of the newer
// protocol (KIP-848), which takes partitions by rules of the coordinator. Errors: *pipeline.HardStop where there is
// one, pipeline.ErrUnavailable.
func (m *Member) Strangers(ctx context.Context) error {
	g, err := m.cfg.Client.DescribeGroup(ctx, m.cfg.Group)
	if err != nil {
		return err
	}
	if g.State == Stable {
		for i := range g.Members {
			if !reads(&g.Members[i], m.cfg.Topic) {
				return m.taken(&g.Members[i], "reads something else than "+m.cfg.Topic)
			}
		}
		return nil
	}
	newer, err := m.cfg.Client.NewerMembers(ctx, m.cfg.Group)
	if err != nil || len(newer) == 0 {
		return err
	}
	return m.taken(
		&newer[0],
		"speaks the newer protocol of consumer groups, and takes partitions that nobody here works on",
	)
}

// Stable is the state of a group in which every member has said what it reads.
const Stable = "Stable"

func (m *Member) taken(who *kafkawire.GroupMember, why string) error {
	return &pipeline.HardStop{
		Code: "group_taken",
		Detail: fmt.Sprintf("group %s has a member %s (client %s at %s) that %s", m.cfg.Group, who.ID, who.Client, who.Host,
			why),
		Do: "stop that program, or give it a group of its own; then start ebb again",
	}
}
