package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"ebb/scoring/profile"
)

// deadline is an entry of a due bucket.
type deadline struct {
	minute int64
	key    string // of the customer
}

// dueOf reads every due bucket of a partition.
func dueOf(ctx context.Context, cl *redis.Client, partition int) (map[deadline]bool, error) {
	due := map[deadline]bool{}
	prefix := keyOf(partition, "due:")
	names := cl.Scan(ctx, 0, prefix+"*", 1000).Iterator()
	for names.Next(ctx) {
		bucket, err := strconv.ParseInt(strings.TrimPrefix(names.Val(), prefix), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read due bucket %s: %w", names.Val(), err)
		}
		b, err := cl.Get(ctx, names.Val()).Bytes()
		if err != nil {
			return nil, err
		}
		for len(b) > 0 {
			const width = 360 // minutes
			minute, n := binary.Uvarint(b)
			size, m := binary.Uvarint(b[max(n, 0):])
			if n <= 0 || m <= 0 || size > uint64(len(b)-n-m) {
				return nil, fmt.Errorf("due bucket %s is damaged", names.Val())
			}
			b = b[n+m:]
			due[deadline{bucket*width + int64(minute), string(b[:size])}] = true
			b = b[size:]
		}
	}
	return due, names.Err()
}

// deadlines checks that the deadline of every profile is in its bucket, since one that is not would never fire.
func (v *verdict) deadlines(p int, m *meta, stored map[string]string, due map[deadline]bool) {
	for key, b := range stored {
		var g profile.Profile
		if profile.Read([]byte(b), &profile.Customer{Profile: &g}) != nil || g.Armed == 0 {
			continue // reported elsewhere as unreadable
		}
		if !due[deadline{g.Armed, key}] {
			v.Miscounted++
			v.Examples.add(
				"partition %d: the deadline of %q at minute %d lies in no bucket; fired to minute %d",
				p,
				key,
				g.Armed,
				m.Clock.Fired.Minute,
			)
		}
	}
}
