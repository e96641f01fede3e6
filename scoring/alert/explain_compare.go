package alert

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
)

// compareJSON are where two texts of JSON differ. Errors: one of them is none.
func compareJSON(said, again []byte) ([]Difference, error) {
	var trees [2]any
	for i, text := range [...][]byte{said, again} {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber() // a float cannot hold every whole number
		if err := d.Decode(&trees[i]); err != nil {
			return nil, fmt.Errorf("read JSON: %w", err)
		}
	}
	return compare(nil, "", trees[0], trees[1]), nil
}

// compare appends where two trees of JSON differ, in the order of their fields.
func compare(dst []Difference, at string, said, again any) []Difference {
	switch again := again.(type) {
	case map[string]any:
		if said, ok := said.(map[string]any); ok {
			for _, key := range slices.Sorted(maps.Keys(again)) {
				if _, ok := said[key]; !ok {
					dst = append(dst, Difference{at + "/" + key, nil, plain(again[key])})
					continue
				}
				dst = compare(dst, at+"/"+key, said[key], again[key])
			}
			for _, key := range slices.Sorted(maps.Keys(said)) {
				if _, ok := again[key]; !ok {
					dst = append(dst, Difference{at + "/" + key, plain(said[key]), nil})
				}
			}
			return dst
		}
	case []any:
		if said, ok := said.([]any); ok && len(said) == len(again) {
			for i := range again {
				dst = compare(dst, fmt.Sprintf("%s/%d", at, i), said[i], again[i])
			}
			return dst
		}
	default:
		if scalar(said) == scalar(again) {
			return dst
		}
	}
	return append(dst, Difference{at, plain(said), plain(again)})
}

// scalar is a number as an int64 where it is a whole one, else as a float64, and anything else unchanged.
func scalar(v any) any {
	number, ok := v.(json.Number)
	if !ok {
		return v
	}
	if n, err := number.Int64(); err == nil {
		return n
	}
	f, err := number.Float64()
	switch {
	case err != nil:
		return number
	case f == math.Trunc(f) && math.Abs(f) < 1<<53:
		return int64(f)
	}
	return f
}

// plain is a scalar, and anything else as its JSON.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any, []any:
		b, _ := json.Marshal(v)
		return string(b)
	}
	return scalar(v)
}
