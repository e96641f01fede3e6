package config

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"ebb/cmd/ebb/advice"
)

// value is a typed place in a Config: how text becomes a value, and back.
type value interface {
	kind() string          // for people: what may be set
	set(text string) error // from the environment, a flag or a YAML scalar
	String() string        // in the form that set takes
}

// textValue is any text.
type textValue struct{ p *string }

func (v textValue) kind() string { return "text" }

func (v textValue) String() string { return *v.p }

func (v textValue) set(text string) error { *v.p = text; return nil }

// urlValue is a URL, of which only the host is shown: its path and query may hold a token.
type urlValue struct{ p *string }

func (v urlValue) kind() string { return "URL" }

func (v urlValue) String() string { return *v.p }

func (v urlValue) set(text string) error { *v.p = text; return nil }

func (v urlValue) shown() string {
	u, err := url.Parse(*v.p)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host + "/..."
}

// choiceValue is one of a closed list.
type choiceValue struct {
	p       *string
	choices []string
}

func (v choiceValue) kind() string { return alternatives(quoteEmpty(v.choices)) }

func (v choiceValue) String() string { return *v.p }

func (v choiceValue) set(text string) error {
	if !slices.Contains(v.choices, text) {
		return fmt.Errorf("want %s, found %q%s", v.kind(), text, advice.DidYouMean(text, v.choices))
	}
	*v.p = text
	return nil
}

// alternatives joins words: a, b or c.
func alternatives(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

func quoteEmpty(in []string) []string {
	out := slices.Clone(in)
	for i := range out {
		if out[i] == "" {
			out[i] = `""`
		}
	}
	return out
}

// boolValue is true or false, and no other word.
type boolValue struct{ p *bool }

func (v boolValue) kind() string { return "true or false" }

func (v boolValue) String() string { return strconv.FormatBool(*v.p) }

func (v boolValue) set(text string) error {
	if text != "true" && text != "false" {
		return fmt.Errorf("want true or false, found %q", text)
	}
	*v.p = text == "true"
	return nil
}

// countValue is a whole number of something.
type countValue struct {
	p        *int
	min, max int
}

func (v countValue) kind() string { return "whole number" }

func (v countValue) String() string { return strconv.Itoa(*v.p) }

func (v countValue) set(text string) error {
	n, err := strconv.Atoi(strings.ReplaceAll(text, "_", ""))
	if err != nil {
		return fmt.Errorf("want a whole number, found %q", text)
	}
	if n < v.min || n > v.max {
		return fmt.Errorf("must lie between %d and %d, found %d", v.min, v.max, n)
	}
	*v.p = n
	return nil
}

// shareValue is a part of a whole.
type shareValue struct{ p *float64 }

func (v shareValue) kind() string { return "share, 0 to 1" }

func (v shareValue) String() string { return strconv.FormatFloat(*v.p, 'g', -1, 64) }

func (v shareValue) set(text string) error {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) {
		return fmt.Errorf("want a share between 0 and 1, such as 0.5, found %q", text)
	}
	if f < 0 || f > 1 {
		return fmt.Errorf("must lie between 0 and 1, found %s", text)
	}
	*v.p = f
	return nil
}

// durationValue is a span of time with its unit.
type durationValue struct {
	p        *time.Duration
	min, max time.Duration
}

func (v durationValue) kind() string { return "duration" }

func (v durationValue) String() string { return advice.FormatDuration(*v.p) }

func (v durationValue) set(text string) error {
	d, err := advice.ParseDuration(text)
	if err != nil {
		return err
	}
	if d < v.min || d > v.max {
		return fmt.Errorf(
			"must lie between %s and %s, found %s",
			advice.FormatDuration(v.min),
			advice.FormatDuration(v.max),
			text,
		)
	}
	*v.p = d
	return nil
}

// sizeValue is a number of bytes, with or without a binary unit.
type sizeValue struct {
	p        *int64
	min, max int64
}

func (v sizeValue) kind() string { return "size" }

func (v sizeValue) String() string { return advice.FormatSize(*v.p) }

func (v sizeValue) set(text string) error {
	n, err := advice.ParseSize(text)
	if err != nil {
		return err
	}
	if n < v.min || n > v.max {
		return fmt.Errorf("must lie between %s and %s, found %s", advice.FormatSize(v.min), advice.FormatSize(v.max), text)
	}
	*v.p = n
	return nil
}

// listValue is a list of texts; in one text its items are separated by commas.
type listValue struct{ p *[]string }

func (v listValue) kind() string { return "list" }

func (v listValue) String() string { return strings.Join(*v.p, ",") }

func (v listValue) set(text string) error {
	if strings.TrimSpace(text) == "" {
		*v.p = nil
		return nil
	}
	return v.setItems(strings.Split(text, ","))
}

func (v listValue) setItems(items []string) error {
	out := make([]string, 0, len(items))
	for _, item := range items {
		item = strings.TrimSpace(item)
		if item == "" {
			return errors.New("has an empty item")
		}
		if slices.Contains(out, item) {
			return fmt.Errorf("names %q twice", withoutLogin(item))
		}
		out = append(out, item)
	}
	*v.p = out
	return nil
}

// choicesValue is a list of texts, each one of a closed list.
type choicesValue struct {
	listValue
	choices []string
}

func (v choicesValue) kind() string { return "list of " + alternatives(v.choices) }

func (v choicesValue) set(text string) error { return v.check(v.listValue.set(text)) }

func (v choicesValue) setItems(items []string) error { return v.check(v.listValue.setItems(items)) }

// check is err; where there is none, what is wrong with the items that were set.
func (v choicesValue) check(err error) error {
	for _, item := range *v.p {
		if err == nil && !slices.Contains(v.choices, item) {
			return fmt.Errorf("want %s, found %q%s", alternatives(v.choices), item, advice.DidYouMean(item, v.choices))
		}
	}
	return err
}

// weightsValue is a number by name; in one text written name=number and separated by commas. A name alone has the
// number 1.
type weightsValue struct{ p *map[string]float64 }

func (v weightsValue) kind() string { return "number by name" }

func (v weightsValue) String() string {
	var items []string
	for _, name := range slices.Sorted(maps.Keys(*v.p)) {
		items = append(items, name+"="+strconv.FormatFloat((*v.p)[name], 'g', -1, 64))
	}
	return strings.Join(items, ",")
}

func (v weightsValue) set(text string) error {
	items, err := splitItems(text, "1", "name=number", strings.LastIndexByte)
	if err != nil || len(items) == 0 {
		*v.p = nil
		return err
	}
	return v.setItems(items)
}

// splitItems reads name=text items that are separated by commas. alone is the text of a name without one, form shows
// how to write them, and sign finds the = that separates.
func splitItems(list, alone, form string, sign func(string, byte) int) (map[string]string, error) {
	items := map[string]string{}
	if strings.TrimSpace(list) == "" {
		return items, nil
	}
	for item := range strings.SplitSeq(list, ",") {
		name, text := item, alone
		if i := sign(item, '='); i >= 0 {
			name, text = item[:i], item[i+1:]
		}
		name, text = strings.TrimSpace(name), strings.TrimSpace(text)
		if _, twice := items[name]; twice || name == "" || text == "" {
			return nil, fmt.Errorf("want %s, separated by commas, each name once, found %q", form, list)
		}
		items[name] = text
	}
	return items, nil
}

// itemsValue is a value whose parts have names of their own: several lines in a file, one text in the environment.
type itemsValue interface {
	value
	item() string // the part after a name
	setItems(items map[string]string) error
}

// namesValue is a text by name.
type namesValue struct {
	p    *map[string]string
	form string // of an item
}

func (v namesValue) kind() string { return "text by name" }

func (v namesValue) item() string { return "text" }

func (v namesValue) String() string {
	var items []string
	for _, name := range slices.Sorted(maps.Keys(*v.p)) {
		items = append(items, name+"="+(*v.p)[name])
	}
	return strings.Join(items, ",")
}

func (v namesValue) set(text string) error {
	items, err := splitItems(text, "", v.form, strings.IndexByte)
	if err != nil {
		return err
	}
	return v.setItems(items)
}

func (v namesValue) setItems(items map[string]string) error {
	*v.p = items
	return nil
}

func (v weightsValue) item() string { return "number" }

func (v weightsValue) setItems(items map[string]string) error {
	out := map[string]float64{}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(items)) {
		w, err := strconv.ParseFloat(items[name], 64)
		switch {
		case err != nil || math.IsNaN(w) || math.IsInf(w, 0):
			errs = append(errs, fmt.Errorf("want a number for %q, found %q", name, items[name]))
		case w < 0 || w > maxFriction:
			errs = append(
				errs,
				fmt.Errorf("the weight of %q must lie between 0 and %d, found %s", name, maxFriction, items[name]),
			)
		}
		out[name] = w
	}
	*v.p = out
	return errors.Join(errs...)
}

// MaxFriction bounds the weight of one friction event, as in packs.
const maxFriction = 100
