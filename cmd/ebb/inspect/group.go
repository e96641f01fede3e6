package inspect

import (
	"context"
	"fmt"
	"strings"

	"ebb/cmd/ebb/advice"
	"ebb/pipeline/redisstore"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// EachPartition reads a group's state, and a customer's in it, partition by partition. False: the group has none.
func EachPartition(
	ctx context.Context,
	redis *redisstore.Client,
	group string,
	customer []byte,
	read func(n int, i *redisstore.Inspection) error,
) (exists bool, err error) {
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

// mostProbed is how many partitions are searched for one with state, which then holds their number.
const mostProbed = 256

// packOf is the pack under which the customer was last folded.
func packOf(i *redisstore.Inspection, partition int, configured *pack.Pack) (*pack.Pack, error) {
	c := profile.Customer{Profile: &profile.Profile{}}
	if err := profile.Read(i.Profile, &c); err != nil {
		return nil, err
	}
	return PackAt(i, partition, c.PackEpoch, configured)
}

// PackAt is the pack of an epoch of the partition. It is one of those stored with the state or, where none was
// announced yet, the configured one; nil: that one cannot be read.
func PackAt(i *redisstore.Inspection, partition int, epoch uint8, configured *pack.Pack) (*pack.Pack, error) {
	hash := i.Meta.Pack
	if n := int(epoch); n < len(i.Meta.Packs) {
		hash = i.Meta.Packs[n].Hash
	}
	for _, k := range i.Packs {
		if k.Hash == hash {
			return pack.LoadCanonical(k.Canonical)
		}
	}
	if configured == nil || hash != configured.Hash {
		return nil, advice.Add(
			fmt.Errorf("partition %d was scored with another pack, %.12s…", partition, hash),
			"give the pack and the overrides that ebb run has",
		)
	}
	return configured, nil
}

// PacksRun are the packs that any of the groups has run and whose hash begins with prefix: their canonical forms, by
// hash.
func PacksRun(
	ctx context.Context,
	redis *redisstore.Client,
	groups []string,
	prefix string,
) (map[string][]byte, error) {
	found := map[string][]byte{}
	for _, group := range groups {
		_, err := EachPartition(ctx, redis, group, nil, func(_ int, i *redisstore.Inspection) error {
			for _, k := range i.Packs {
				if strings.HasPrefix(k.Hash, prefix) {
					found[k.Hash] = k.Canonical
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}
