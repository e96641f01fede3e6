package silences

import (
	"encoding/json"
	"math"
	"strconv"
)

// Figure is a measured number; NaN where there was nothing to measure. JSON holds it with six decimals, NaN as null.
type Figure float64

// MarshalJSON writes six decimals, or null.
func (f Figure) MarshalJSON() ([]byte, error) {
	if !f.Known() {
		return []byte("null"), nil
	}
	rounded := math.Round(float64(f)*1e6) / 1e6
	return strconv.AppendFloat(nil, rounded+0, 'f', -1, 64), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (f *Figure) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*f = Figure(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(f))
}

// Known reports whether there was something to measure.
func (f Figure) Known() bool { return !math.IsNaN(float64(f)) && !math.IsInf(float64(f), 0) }

func share(part, whole int64) Figure { return Figure(float64(part) / float64(whole)) }
