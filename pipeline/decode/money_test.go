package decode_test

import (
	"fmt"
	"math"
	"testing"

	"ebb/pipeline"
	"ebb/pipeline/decode"
)

func TestMoney(t *testing.T) {
	for _, c := range []struct {
		value, currency string
		want            int64
		ok              bool
	}{
		{"12.34", "", 1234, true},
		{"12.34", "EUR", 1234, true},
		{"12.34", "XYZ", 1234, true}, // not in ISO 4217
		{"12", "EUR", 1200, true},
		{"12.3", "EUR", 1230, true},
		{"12.34000", "EUR", 1234, true},
		{"12.34001", "EUR", 0, false},
		{"0.07", "EUR", 7, true},
		{"-0.07", "EUR", -7, true},
		{"-0", "EUR", 0, true},
		{"1200", "JPY", 1200, true},
		{"1200.000", "JPY", 1200, true},
		{"1200.5", "JPY", 0, false},
		{"1.234", "KWD", 1234, true},
		{"1.2345", "KWD", 0, false},
		{"1.2", "BHD", 1200, true},
		{"1.2345", "CLF", 12345, true},
		{"92233720368547758.07", "EUR", 9223372036854775807, true},
		{"92233720368547758.08", "EUR", 0, false},
		{"-92233720368547758.08", "EUR", -9223372036854775808, true},
		{"-92233720368547758.09", "EUR", 0, false},
		{"9223372036854775807", "JPY", 9223372036854775807, true},
		{"18446744073709551616", "JPY", 0, false}, // 0 in 64 bits
		{"99999999999999999999999999", "JPY", 0, false},
		{"922337203685477.5808", "CLF", 0, false},
		{"+1", "EUR", 0, false},
		{".5", "EUR", 0, false},
		{"5.", "EUR", 0, false},
		{"05", "EUR", 0, false},
		{"1e2", "EUR", 10_000, true},
		{"1E+2", "JPY", 100, true},
		{"1.0E10", "EUR", 1_000_000_000_000, true},
		{"-1.29e1", "EUR", -1290, true},
		{"1290e-2", "EUR", 1290, true},
		{"1290e-02", "EUR", 1290, true},
		{"12900e-3", "EUR", 1290, true},
		{"12905e-3", "EUR", 0, false},
		{"0.00129e4", "EUR", 1290, true},
		{"0e400", "EUR", 0, true},
		{"0e-400", "EUR", 0, true},
		{"-0E0", "EUR", 0, true},
		{"5e-7", "EUR", 0, false},
		{"9.223372036854775807e16", "EUR", 9223372036854775807, true},
		{"9.2233720368547758075e16", "EUR", 0, false},
		{"9.223372036854775807e18", "JPY", 9223372036854775807, true},
		{"9.223372036854775808e18", "JPY", 0, false},
		{"-9.223372036854775808e18", "JPY", -9223372036854775808, true},
		{"18446744073709551616e0", "JPY", 0, false},
		{"1e18", "JPY", 1_000_000_000_000_000_000, true},
		{"1e19", "JPY", 0, false},
		{"1e400", "EUR", 0, false},
		{"1e", "EUR", 0, false},
		{"1e+", "EUR", 0, false},
		{"1e2.5", "EUR", 0, false},
		{"1ee2", "EUR", 0, false},
		{"01e2", "EUR", 0, false},
		{"1,5", "EUR", 0, false},
		{"--1", "EUR", 0, false},
		{"-", "EUR", 0, false},
		{" 1", "EUR", 0, false},
		{"Infinity", "EUR", 0, false},
	} {
		t.Run(c.value+c.currency, func(t *testing.T) {
			r := pipeline.Record{
				Value: []byte(flatJSON("value", fmt.Sprintf("%q", c.value), "currency", fmt.Sprintf("%q", c.currency))),
			}
			got := decodeBoth(t, decode.New(testRecordBytes), &r)
			if got.Value != c.want || got.HasValue != c.ok || (got.Code == pipeline.ValueUnreadable) == c.ok {
				t.Errorf("%d, %t, %v; want %d, %t", got.Value, got.HasValue, got.Code, c.want, c.ok)
			}
		})
	}
}

// TestAppendMoney parses what it has written.
func TestAppendMoney(t *testing.T) {
	for _, c := range []struct {
		minor    int64
		currency string
		want     string
	}{
		{1290, "EUR", "12.90"},
		{7, "EUR", "0.07"},
		{-7, "EUR", "-0.07"},
		{0, "", "0.00"},
		{1200, "JPY", "1200"},
		{-5, "KWD", "-0.005"},
		{12345, "CLF", "1.2345"},
		{math.MaxInt64, "EUR", "92233720368547758.07"},
		{math.MinInt64, "EUR", "-92233720368547758.08"},
	} {
		currency := [3]byte([]byte(c.currency + "\x00\x00\x00"))
		got := string(decode.AppendMoney([]byte("x"), c.minor, currency))
		if got != "x"+c.want {
			t.Errorf("%d of %q: %s, want x%s", c.minor, c.currency, got, c.want)
		}
		e := decodeBoth(
			t,
			decode.New(0),
			&pipeline.Record{Value: []byte(flatJSON("value", got[1:], "currency", fmt.Sprintf("%q", c.currency)))},
		)
		if e.Value != c.minor {
			t.Errorf("%s read back: %d", got, e.Value)
		}
	}
}
