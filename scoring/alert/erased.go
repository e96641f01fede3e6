package alert

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"ebb/scoring/encode"
)

// Erased is the transition of the record that says that a customer is erased. It is none of an episode.
const Erased = "erased"

// ErasedID names the erasure of a's customer: a hash of tenant, customer, the transition and up to when it counts.
func (a *Alert) ErasedID() ID {
	var room [512]byte
	var at [20]byte
	b := encode.AppendParts(encode.AppendParts(room[:0], a.Tenant, a.Customer), Erased)
	return hashed(encode.AppendParts(b, strconv.AppendInt(at[:0], a.At, 10)))
}

// AppendErased appends the JSON of a record that says that a's customer is erased: whoever keeps something of the customer
// is to delete it. It holds no fact about the customer.
func AppendErased(dst []byte, a *Alert, id ID) []byte {
	dst = hex.AppendEncode(append(dst, `{"id":"`...), id[:])
	dst = appendString(append(dst, `","tenant":`...), a.Tenant)
	dst = appendString(append(dst, `,"customer":`...), a.Customer)
	dst = append(append(append(dst, `,"transition":"`...), Erased...), `","time":"`...)
	dst = append(AppendTime(dst, a.At), '"')
	return append(a.Cause.append(dst, a.At), '}')
}

// ExplainErased is Renderer.Explain for a record that says that a customer is erased: nothing is computed, and it names no
// pack. Errors: ErrNoAlert.
func ExplainErased(record []byte) (*Explanation, error) {
	var said struct {
		Tenant   string     `json:"tenant"`
		Customer string     `json:"customer"`
		Time     *time.Time `json:"time"`
		Cause    *saidCause `json:"cause"`
	}
	err := unmarshalObject(record, &said)
	if err == nil && (said.Customer == "" || said.Time == nil || said.Cause == nil) {
		err = errors.New("it has no customer, time or cause")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoAlert, err)
	}
	whole := saidAlert{Time: said.Time, Cause: said.Cause}
	a := Alert{Tenant: []byte(said.Tenant), Customer: []byte(said.Customer), Cause: whole.cause()}
	a.At = said.Time.UnixMilli()
	x := &Explanation{Unscored: true}
	if x.Differences, err = compareJSON(record, AppendErased(nil, &a, a.ErasedID())); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoAlert, err)
	}
	return x, nil
}
