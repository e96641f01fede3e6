package held

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/inspect"
	"ebb/pipeline"
	"ebb/pipeline/redisstore"
)

// Silence is one of a group: in force, or asked for.
type Silence struct {
	pipeline.Silence
	InForce int `json:"in_force"` // partitions in which it is
	Asked   int `json:"asked"`    // partitions whose owner has yet to begin or end it
	Held    int `json:"held"`     // raises that it holds
}

// Silences are those of a group, in order of their ends, and the number of its partitions. Errors: those of redisstore.
func Silences(ctx context.Context, redis *redisstore.Client, group string) (all []Silence, partitions int, err error) {
	byID := map[string]*Silence{}
	of := func(s *pipeline.Silence) *Silence {
		if byID[s.ID] == nil || byID[s.ID].Until.IsZero() {
			found := Silence{Silence: *s}
			found.Number, found.Silence.Asked = 0, ""
			byID[s.ID] = &found
		}
		return byID[s.ID]
	}
	exists, err := inspect.EachPartition(ctx, redis, group, nil, func(n int, i *redisstore.Inspection) error {
		if !i.Exists && partitions == 0 {
			return nil
		}
		partitions = max(partitions, i.Meta.Partitions)
		numbers := map[int64]*Silence{}
		for _, s := range i.Meta.Silences.InForce(i.Meta.Clock.Watermark) {
			numbers[s.Number] = of(&s)
			numbers[s.Number].InForce++
		}
		if len(numbers) > 0 {
			err := eachRaise(ctx, redis, group, n, func(h *pipeline.Held) {
				if s := numbers[h.Silence]; s != nil {
					s.Held++
				}
			})
			if err != nil {
				return err
			}
		}
		return redis.Asked(ctx, group, n, func(id string, value []byte) {
			if a, err := pipeline.ReadAsked(id, value); err == nil && a.Kind == pipeline.AskSilence {
				s := a.Silenced()
				of(&s).Asked++
			}
		})
	})
	if err == nil && !exists {
		err = noState(group)
	}
	for _, s := range byID {
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b Silence) int {
		return cmp.Or(a.Until.Compare(b.Until), cmp.Compare(a.ID, b.ID))
	})
	return all, partitions, err
}

// AskSilence asks the owner of each partition for a silence to begin or to end.
func AskSilence(
	ctx context.Context, redis *redisstore.Client, group string, partitions int, s *pipeline.Silence,
) error {
	if err := s.Check(); err != nil {
		return advice.Usage(err)
	}
	what := pipeline.Asked{Kind: pipeline.AskSilence, By: s.By, Why: s.Why, At: time.Now().UTC(), Silence: *s}
	what.Silence.By, what.Silence.Why = "", ""
	for n := range partitions {
		what.ID = rand.Text()
		if err := redis.Ask(ctx, group, n, &what); err != nil {
			return err
		}
	}
	return nil
}

// ParseMatch reads what a silence is about: kind=lapse,tenant=acme. Errors: it cannot be read.
func ParseMatch(text string) (m pipeline.Match, err error) {
	fields := map[string]*string{"kind": &m.Kind, "playbook": &m.Playbook, "tenant": &m.Tenant, "pack": &m.Pack}
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(part, "=")
		field := fields[strings.TrimSpace(name)]
		switch value = strings.TrimSpace(value); {
		case field == nil:
			return m, fmt.Errorf("a silence matches kind, playbook, tenant and pack, found %q", name)
		case value == "":
			return m, fmt.Errorf("%s has no value: %s=VALUE", name, name)
		case *field != "":
			return m, fmt.Errorf("%s comes twice", name)
		}
		*field = value
	}
	return m, nil
}

// MatchText is the inverse of ParseMatch, with words for one that matches everything.
func MatchText(m *pipeline.Match) string {
	var parts []string
	for _, p := range [...][2]string{{"kind", m.Kind}, {"playbook", m.Playbook}, {"tenant", m.Tenant}, {"pack", m.Pack}} {
		if p[1] != "" {
			parts = append(parts, p[0]+"="+p[1])
		}
	}
	if len(parts) == 0 {
		return "everything"
	}
	return strings.Join(parts, ",")
}
