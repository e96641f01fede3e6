package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"ebb/pipeline"
	"ebb/pipeline/redisstore"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// inspectFlags is the command line of inspect.
type inspectFlags struct {
	packFlags
	tenant string
	json   bool
}

func newInspectCommand(a *app) *cobra.Command {
	var f inspectFlags
	cmd := &cobra.Command{
		Use:   "inspect CUSTOMER",
		Short: "Show what is known of a customer now",
		Long: `Read a customer's state from Redis and show it as of the partition's watermark, as ebb explain shows an alert: terms and factors
with what they come from, cap, floor, value at risk, the way out of the tier, churn probability and the reasons that an alert would give
now; besides, open episodes, features, and when something happens next if no event comes. Nothing is changed; a running ebb is not
disturbed. The pack is the one that Redis keeps; the configured one, with its overrides, only where none is kept yet.`,
		Example: "  ebb inspect -c ebb.yaml c-42\n  ebb inspect c-42 --tenant acme --json | jq .risk_score",
		Args:    arguments(1, 1, "CUSTOMER"),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.inspect(cmd, &f, args[0]) },
	}
	f.add(cmd)
	cmd.Flags().StringVar(&f.tenant, "tenant", "", "the `TENANT` that the customer belongs to")
	cmd.Flags().BoolVar(&f.json, "json", false, "print one object")
	return cmd
}

func (a *app) inspect(cmd *cobra.Command, f *inspectFlags, customer string) error {
	cfg, err := a.config(f.overrides()...)
	if err != nil {
		return err
	}
	pack, unusable := loadPack(cfg) // what matters is the pack beside the state
	redis, err := openRedis(cmd.Context(), cfg)
	if err != nil {
		return err
	}
	defer func() { _ = redis.Close() }() // nothing was written
	key := pipeline.AppendKey(nil, []byte(f.tenant), []byte(customer))
	found := 0
	exists, err := eachPartition(cmd.Context(), redis, cfg.Kafka.Group, key, func(n int, i *redisstore.Inspection) error {
		if i.Profile == nil {
			return nil
		}
		found++
		theirs, err := packOf(i, n, pack)
		if err != nil {
			return cmp.Or(unusable, err)
		}
		v, err := newInspected(theirs, f.tenant, customer, n, &i.Meta, i.Profile)
		if err != nil {
			return err
		}
		return v.show(explainText{newScreen(cmd.OutOrStdout(), a.environ)}, f.json)
	})
	switch {
	case err != nil:
		return err
	case !exists:
		return advise(fmt.Errorf("group %s has no state in Redis", cfg.Kafka.Group), "see kafka.group and redis.addresses, or start ebb run first")
	case found == 0:
		return advise(fmt.Errorf("nothing is known of %s", fullName(f.tenant, customer)), "see --tenant and how the name is spelt; who was gone for state.retention is forgotten")
	}
	return nil
}

// eachPartition reads a group's state, and a customer's there, partition by partition. False: it has none.
func eachPartition(ctx context.Context, redis *redisstore.Client, group string, customer []byte, read func(n int, i *redisstore.Inspection) error) (exists bool, err error) {
	for n, partitions := 0, mostProbed; n < partitions; n++ {
		i, err := redis.Inspect(ctx, group, n, customer)
		if err != nil {
			return exists, err
		}
		if i.Exists {
			exists, partitions = true, i.Meta.Partitions
		}
		if err := read(n, &i); err != nil {
			return exists, err
		}
	}
	return exists, nil
}

// mostProbed is among how many partitions one with state is looked for, which then says how many there are.
const mostProbed = 256

// packOf is the pack under which the customer was last folded.
func packOf(i *redisstore.Inspection, partition int, configured *pack.Pack) (*pack.Pack, error) {
	c := profile.Customer{Profile: &profile.Profile{}}
	if err := profile.Read(i.Profile, &c); err != nil {
		return nil, err
	}
	return packAt(i, partition, c.Generation, configured)
}

// packAt is the pack of a generation of the partition: one of those kept beside the state or, where none was announced yet, the
// configured one; nil: that cannot be read.
func packAt(i *redisstore.Inspection, partition int, generation uint8, configured *pack.Pack) (*pack.Pack, error) {
	hash := i.Meta.Pack
	if n := int(generation); n < len(i.Meta.Packs) {
		hash = i.Meta.Packs[n].Hash
	}
	for _, k := range i.Packs {
		if k.Hash == hash {
			return pack.LoadCanonical(k.Canonical)
		}
	}
	if configured == nil || hash != configured.Hash {
		return nil, advise(fmt.Errorf("partition %d was scored with another pack, %.12s…", partition, hash), "give the pack and the overrides that ebb run has")
	}
	return configured, nil
}
