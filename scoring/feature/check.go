package feature

import (
	"errors"
	"fmt"
	"strings"
)

// check returns what is wrong with the declaration of the feature at index i.
func (d *Feature) check(i int) error {
	if d.Kind >= NumKinds {
		return fmt.Errorf("kind %d is unknown", d.Kind)
	}
	if err := d.checkSources(i); err != nil {
		return err
	}
	if err := d.checkWindow(); err != nil {
		return err
	}
	if d.Kind.Traits().Least > 0 && d.Least < 1 {
		return fmt.Errorf("least is %d, must be at least 1: it is divided by", d.Least)
	}
	if d.Priced && !d.Kind.Traits().MayBePriced {
		return fmt.Errorf("a %s is of all events, with money or without", d.Kind)
	}
	if d.AbsentZero && !d.Kind.Traits().MayBeZero {
		return fmt.Errorf("a %s that nothing is known of is not zero", d.Kind)
	}
	return nil
}

// checkSources checks the signals, features and properties that the value comes from.
func (d *Feature) checkSources(i int) error {
	k := d.Kind.Traits()
	switch k.Source {
	case OfNothing:
		return nil
	case OfFeatures:
		if !below(d.Of, i) || !below(d.To, i) {
			return fmt.Errorf("a %s is of two features declared before it", d.Kind)
		}
		return nil
	default:
	}
	if k.Until && (!below(d.To, MaxSignals) || d.To == d.Of) {
		return errors.New("what is opened by a signal is solved by another")
	}
	switch {
	case k.Property == Absent || below(d.Property, MaxProperties):
	case k.Property == Required:
		return fmt.Errorf("a %s is of a property, 0 to %d", d.Kind, MaxProperties-1)
	case d.Property != -1:
		return fmt.Errorf("a %s is of a property, 0 to %d, or of money, -1", d.Kind, MaxProperties-1)
	}
	if !below(d.Of, MaxSignals) {
		return fmt.Errorf("a %s is of a signal, 0 to %d", d.Kind, MaxSignals-1)
	}
	return nil
}

func below(i, limit int) bool { return 0 <= i && i < limit }

func (d *Feature) checkWindow() error {
	k := d.Kind.Traits()
	switch {
	case k.Windowed:
	case d.Within != 0 || d.Hourly:
		return fmt.Errorf("a %s has no window", d.Kind)
	default:
		return nil
	}
	if k.DaysOnly && d.Hourly {
		return fmt.Errorf("a window of %s is made of days", strings.ReplaceAll(k.Name, "_", " "))
	}
	limit, unit := MaxWindow, "days"
	if d.Hourly {
		limit, unit = MaxHours, "hours"
	}
	if d.Within < 1 || d.Within > limit {
		return fmt.Errorf("a window of %d %s, must be 1 to %d", d.Within, unit, limit)
	}
	return nil
}
