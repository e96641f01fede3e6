package profile

import (
	"encoding/binary"
	"math"

	"ebb/scoring/encode"
)

// Currency is an ISO 4217 code in capital letters; zero: none was named.
type Currency [3]byte

// Decimals is the number of decimals of the currency's minor unit: two, except where ISO 4217 lists another number. An
// unknown currency, and a missing one, have two.
func (c Currency) Decimals() int {
	switch string(c[:]) {
	case "BIF",
		"CLP",
		"DJF",
		"GNF",
		"ISK",
		"JPY",
		"KMF",
		"KRW",
		"PYG",
		"RWF",
		"UGX",
		"UYI",
		"VND",
		"VUV",
		"XAF",
		"XOF",
		"XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	case "CLF", "UYW":
		return 4
	}
	return 2
}

// Valid reports whether the currency is three capital letters.
func (c Currency) Valid() bool {
	for _, b := range c {
		if b < 'A' || b > 'Z' {
			return false
		}
	}
	return true
}

// Money is in which currency a customer's money is kept. That of the first event with money that names one is the
// customer's for good: a rule that needs no more state, whichever currency is the more frequent later. Money of events
// that name none is taken to be in it.
type Money struct {
	Other    uint32   // events with money in a second currency, which count for nothing else
	Currency Currency // zero: no event has named one
}

// Takes notes an event with money in a currency, and reports whether its money counts.
func (m *Money) Takes(c Currency) bool {
	switch c {
	case Currency{}, m.Currency:
		return true
	}
	if m.Currency == (Currency{}) {
		m.Currency = c
		return true
	}
	if m.Other < math.MaxUint32 {
		m.Other++
	}
	return false
}

// Append appends m: its currency, and the number of events in a second one where there are any. Nothing for the zero
// value.
func (m *Money) Append(dst []byte) []byte {
	if m.Currency == (Currency{}) {
		return dst
	}
	dst = append(dst, m.Currency[:]...)
	if m.Other == 0 {
		return dst
	}
	return binary.AppendUvarint(dst, uint64(m.Other))
}

// Read reads what is left of r as m. It is false for bytes that Append would not have written.
func (m *Money) Read(r *encode.Reader) bool {
	copy(m.Currency[:], r.Fixed(len(m.Currency)))
	if !r.More() {
		return m.Currency.Valid()
	}
	m.Other = uint32(r.UvarintUpTo(math.MaxUint32))
	return m.Currency.Valid() && m.Other != 0
}
