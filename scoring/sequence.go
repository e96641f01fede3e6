package scoring

import "math"

// next is the number after n. It stays at the last there is: 0 stands for none.
func next(n uint32) uint32 { return n + min(1, math.MaxUint32-n) }
