package redisstore

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// profilesCount is how many customers the server scans per step of an HSCAN.
const profilesCount = 1000

// Customers is how many customers a partition of group holds. Errors: pipeline.ErrUnavailable.
func (c *Client) Customers(ctx context.Context, group string, partition int) (int64, error) {
	k := keysOf(group, partition)
	primary, err := c.primary(ctx, k.profiles)
	if err != nil {
		return 0, err
	}
	n, err := primary.HLen(ctx, k.profiles).Result()
	return n, classify("count customers", err)
}

// EachProfile hands take the customers of a partition and their profiles, in no order and some at a time. It does not
// claim: an owner may be at work, and customers that are added or removed meanwhile may be missing. While Redis resizes
// the hash table, a customer may come twice. Errors: take's, pipeline.ErrUnavailable.
func (c *Client) EachProfile(
	ctx context.Context,
	group string,
	partition int,
	take func(keys, profiles []string) error,
) error {
	k := keysOf(group, partition)
	for cursor := uint64(0); ; {
		primary, err := c.primary(ctx, k.profiles)
		if err != nil {
			return err
		}
		found, next, err := primary.HScan(ctx, k.profiles, cursor, "", profilesCount).Result()
		if err != nil {
			return classify("scan profiles", err)
		}
		var names, profiles []string
		for pair := range slices.Chunk(found, 2) {
			names, profiles = append(names, pair[0]), append(profiles, pair[1])
		}
		if len(names) > 0 {
			if err := take(names, profiles); err != nil {
				return err
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// ProfilesOf are the profiles of customers in a partition of group, each empty where there is none. Errors:
// pipeline.ErrUnavailable.
func (c *Client) ProfilesOf(ctx context.Context, group string, partition int, customers []string) ([]string, error) {
	k := keysOf(group, partition)
	primary, err := c.primary(ctx, k.profiles)
	if err != nil {
		return nil, err
	}
	found, err := primary.HMGet(ctx, k.profiles, customers...).Result()
	if err != nil {
		return nil, classify("read profiles", err)
	}
	profiles := make([]string, len(found))
	for i := range found {
		profiles[i], _ = found[i].(string)
	}
	return profiles, nil
}

// Groups are the groups with any state whose names begin with prefix, in order. Errors: pipeline.ErrUnavailable.
func (c *Client) Groups(ctx context.Context, prefix string) (groups []string, err error) {
	seen := map[string]bool{}
	err = c.eachPrimary(ctx, func(primary *redis.Client) error {
		each := primary.Scan(ctx, 0, "ebb:{"+url.PathEscape(prefix)+"*", scanCount).Iterator()
		for each.Next(ctx) {
			if group, ok := groupOf(each.Val()); ok && strings.HasPrefix(group, prefix) && !seen[group] {
				seen[group] = true
				groups = append(groups, group)
			}
		}
		return each.Err()
	})
	slices.Sort(groups)
	return groups, classify("scan for groups", err)
}

// groupOf is the group in a key; ok is false for a key that is not ebb's.
func groupOf(key string) (group string, ok bool) {
	tag, _, ok := strings.Cut(strings.TrimPrefix(key, "ebb:{"), "}:")
	at := strings.LastIndex(tag, ":p")
	if !ok || at < 0 {
		return "", false
	}
	group, err := url.PathUnescape(tag[:at])
	if err != nil {
		return "", false
	}
	_, ok = partitionOf(group, key)
	return group, ok
}
