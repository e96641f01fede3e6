package main

import "math"

// yardstick is the fixed loop. A turn does what scoring an event is made of (whole numbers read from and written to a
// few kilobytes, branches that cannot be foreseen, some floating-point arithmetic), with nothing of ebb's in it, so
// that it never changes. Whoever changes it records anew.
func yardstick() func() {
	var tiles [512]uint64
	x, sum := uint64(0x9e3779b97f4a7c15), 1.0
	return func() {
		for range 128 {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
			tile := &tiles[x%512]
			if *tile&1 == 0 {
				*tile += x >> 32
			} else {
				*tile -= x & 0xffff
			}
			sum = math.Sqrt(float64(sum*1.0001) + float64(*tile&0xff))
		}
	}
}
