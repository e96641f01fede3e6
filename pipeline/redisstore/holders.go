package redisstore

import "context"

// Holders lists the partitions of the group, of the first count, that hold state of the customer with this key. It
// reads without claiming, one partition after the other, with a command that owners need too. Errors:
// pipeline.ErrUnavailable.
func (c *Client) Holders(ctx context.Context, group string, count int, customer []byte) (partitions []int, err error) {
	for p := range count {
		k := keysOf(group, p)
		primary, err := c.primary(ctx, k.profiles)
		if err != nil {
			return nil, err
		}
		found, err := primary.HMGet(ctx, k.profiles, string(customer)).Result()
		if err != nil {
			return nil, classify("find holders", err)
		}
		if found[0] != nil {
			partitions = append(partitions, p)
		}
	}
	return partitions, nil
}
