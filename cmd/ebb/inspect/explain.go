package inspect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/pipeline"
	"ebb/pipeline/decode"
	"ebb/pipeline/kafkascan"
	"ebb/pipeline/kafkawire"
	"ebb/scoring/alert"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/sinks/format"
)

// Explained is an alert and its explanation by its pack.
type Explained struct {
	Head
	*alert.Explanation

	By *alert.Renderer `json:"-"` // nil: the customer is erased
}

// ErrPackUnknown is returned by Explain for an alert of a pack that is not among the given ones.
var ErrPackUnknown = errors.New("its pack is not known here")

// Head is the part of an alert beside its score that people are shown.
type Head struct {
	ID         string           `json:"id"`
	Tenant     string           `json:"tenant"`
	Customer   string           `json:"customer"`
	Transition string           `json:"transition"`
	Tier       string           `json:"tier"`
	Time       string           `json:"time"`
	Reasons    []Reason         `json:"reasons"`
	Pack       pipeline.PackRef `json:"pack"`
}

type Reason struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// Explain explains one alert by its pack, which has to be among the given ones, by their hash. Errors: ErrPackUnknown,
// those of alert.Renderer.Explain.
func Explain(line []byte, packs map[string]*alert.Renderer) (e *Explained, err error) {
	e = &Explained{}
	if err := json.Unmarshal(line, &e.Head); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			err = fmt.Errorf("/%s cannot be %s", strings.ReplaceAll(wrong.Field, ".", "/"), wrong.Value)
		}
		return nil, plainly(line, fmt.Errorf("%w: %w", alert.ErrNoAlert, err))
	}
	if e.Transition == alert.Erased {
		if e.Explanation, err = alert.ExplainErased(line); err != nil {
			return nil, plainly(line, err)
		}
		return e, nil
	}
	if e.Pack.Hash == "" {
		return nil, plainly(line, fmt.Errorf("%w: it names no pack", alert.ErrNoAlert))
	}
	if e.By = packs[e.Pack.Hash]; e.By == nil {
		return e, fmt.Errorf("%w: %s", ErrPackUnknown, e.Pack)
	}
	if e.Explanation, err = e.By.Explain(line); err != nil {
		return nil, plainly(line, err)
	}
	return e, nil
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
		known[pack.Short(k.Hash)] = alert.NewRenderer(k)
	}
	return known, nil
}

// Worth is an amount of the customer's value: money of its currency, else in the form of the pack's feature.
func (e *Explained) Worth(n int64) string {
	var c profile.Currency
	if copy(c[:], e.Value.Currency); c.Valid() {
		return string(decode.AppendMoney(nil, n, c)) + " " + string(c[:])
	}
	return e.Amount(e.By.Pack.Features[e.By.Pack.Value.Feature].Name, n)
}

// Amount is the value of one of the pack's features in the form of its kind.
func (e *Explained) Amount(feature string, n int64) string {
	in, _ := e.By.FeatureText(feature, n)
	return in
}

// packsPatience is how long the reading of the topic of packs waits behind an open transaction.
const packsPatience = 10 * time.Second

// AddStored adds to known the packs that stand in a topic of packs and that this build can read. Errors: those of the
// client.
func AddStored(ctx context.Context, client *kafkawire.Client, topic string, known map[string]*alert.Renderer) error {
	start, end, err := client.StableBounds(ctx, topic, format.PacksPartition)
	if err != nil {
		return err
	}
	scan := kafkascan.Scan{
		Client: client, Topic: topic, Partition: format.PacksPartition, From: start, To: end, Patience: packsPatience,
		Record: func(r *pipeline.Record) error {
			if k, err := pack.LoadCanonical(r.Value); err == nil { // another core's cannot explain an alert here
				known[pack.Short(k.Hash)] = alert.NewRenderer(k)
			}
			return nil
		},
	}
	if err := scan.Run(ctx); err != nil {
		return fmt.Errorf("read the packs in %s: %w", topic, err)
	}
	return nil
}
