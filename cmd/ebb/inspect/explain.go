package inspect

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/pipeline"
	"ebb/pipeline/decode"
	"ebb/scoring/alert"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// Explained is an alert and its explanation.
type Explained struct {
	Head
	ByPack bool `json:"checked_by_pack"` // false: the pack is missing
	*alert.Explanation

	By *alert.Renderer `json:"-"` // nil: the pack is missing
}

// Head is the part of an alert beside its score that people are shown.
type Head struct {
	ID         string           `json:"id"`
	Tenant     string           `json:"tenant"`
	Customer   string           `json:"customer"`
	Transition string           `json:"transition"`
	Tier       string           `json:"tier"`
	Stage      string           `json:"stage,omitempty"`
	Time       string           `json:"time"`
	Coverage   float64          `json:"coverage"`
	Reasons    []Reason         `json:"reasons"`
	Pack       pipeline.PackRef `json:"pack"`
}

type Reason struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// Explain explains one alert, by its pack where that is among the given ones.
func Explain(line []byte, packs map[string]*alert.Renderer) (e *Explained, err error) {
	e = &Explained{}
	if e.Explanation, err = alert.Explain(line); err != nil {
		return nil, plainly(line, err)
	}
	if err := json.Unmarshal(line, &e.Head); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			err = fmt.Errorf("%w: /%s cannot be %s", alert.ErrNoAlert, strings.ReplaceAll(wrong.Field, ".", "/"), wrong.Value)
		}
		return nil, err
	}
	if e.By = packs[e.Pack.Hash]; e.By != nil {
		e.Explanation, err = e.By.Explain(line)
	}
	e.ByPack = e.By != nil
	return e, err
}

// plainly says in plain words why a line is no alert, where the reason is that it is no JSON, or holds no time.
func plainly(line []byte, err error) error {
	if !json.Valid(line) {
		return fmt.Errorf("%w: it is no JSON", alert.ErrNoAlert)
	}
	var times struct {
		Time    json.RawMessage `json:"time"`
		BeganAt json.RawMessage `json:"began_at"`
		Cause   struct {
			Time json.RawMessage `json:"time"`
		} `json:"cause"`
	}
	if json.Unmarshal(line, &times) != nil {
		return err
	}
	for _, at := range []struct {
		place string
		raw   json.RawMessage
	}{{"/time", times.Time}, {"/began_at", times.BeganAt}, {"/cause/time", times.Cause.Time}} {
		if at.raw != nil && json.Unmarshal(at.raw, new(time.Time)) != nil {
			return fmt.Errorf(
				"%w: %s is no time such as \"2026-03-01T09:30:00Z\": %s", alert.ErrNoAlert, at.place, advice.Clip(at.raw, 60),
			)
		}
	}
	return err
}

// Shipped are the packs that come with ebb, by their hash.
func Shipped() (map[string]*alert.Renderer, error) {
	known := map[string]*alert.Renderer{}
	for _, name := range pack.Shipped() {
		k, err := pack.Load(name, os.ReadFile, pack.Overrides{})
		if err != nil {
			return nil, err
		}
		known[k.Hash] = alert.NewRenderer(k)
	}
	return known, nil
}

// Worth is an amount of the customer's value: money of its currency, else in the form of the pack's feature.
func (e *Explained) Worth(n int64) string {
	var c profile.Currency
	if copy(c[:], e.Value.Currency); c.Valid() {
		return string(decode.AppendMoney(nil, n, c)) + " " + string(c[:])
	}
	feature := ""
	if e.By != nil && e.By.Pack.Value.Feature >= 0 {
		feature = e.By.Pack.Features[e.By.Pack.Value.Feature].Name
	}
	return e.Amount(feature, n)
}

// Amount is a feature's value in the form of its kind, which the pack defines.
func (e *Explained) Amount(feature string, n int64) string {
	if e.By != nil {
		if in, ok := e.By.FeatureText(feature, n); ok {
			return in
		}
	}
	return fmt.Sprintf("%d in its own unit", n)
}
