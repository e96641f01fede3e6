package encode

import (
	"math"
)

// Increment is the number after n. It stays at the greatest possible one, since 0 stands for none.
func Increment(n uint32) uint32 { return n + min(1, math.MaxUint32-n) }
