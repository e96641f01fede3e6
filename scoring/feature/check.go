package feature

import (
	"errors"
	"fmt"
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
	if (d.Kind == Trend || d.Kind == Ratio) && d.Least < 1 {
		return fmt.Errorf("least is %d, must be at least 1: it is divided by", d.Least)
	}
	switch d.Kind {
	case Count, Sum, ActiveDays, Distinct, Open:
	default:
		if d.AbsentZero {
			return fmt.Errorf("a %s that nothing is known of is not zero", d.Kind)
		}
	}
	return nil
}

// checkSources checks the signals, features and properties that the value comes from.
func (d *Feature) checkSources(i int) error {
	switch d.Kind {
	case Tenure:
		return nil
	case Ratio:
		if !below(d.Of, i) || !below(d.To, i) {
			return errors.New("a ratio is of two features declared before it")
		}
		return nil
	case Open:
		if !below(d.To, MaxSignals) || d.To == d.Of {
			return errors.New("what is opened by a signal is solved by another")
		}
	case Distinct, Last:
		if !below(d.Property, MaxProperties) {
			return fmt.Errorf("a %s is of a property, 0 to %d", d.Kind, MaxProperties-1)
		}
	case Sum:
		if d.Property != -1 && !below(d.Property, MaxProperties) {
			return fmt.Errorf("a sum is of a property, 0 to %d, or of money, -1", MaxProperties-1)
		}
	default:
	}
	if !below(d.Of, MaxSignals) {
		return fmt.Errorf("a %s is of a signal, 0 to %d", d.Kind, MaxSignals-1)
	}
	return nil
}

func below(i, limit int) bool { return 0 <= i && i < limit }

func (d *Feature) checkWindow() error {
	switch d.Kind {
	case Since, Open, Ratio, Tenure:
		if d.Within != 0 || d.Hourly {
			return fmt.Errorf("a %s has no window", d.Kind)
		}
		return nil
	case ActiveDays:
		if d.Hourly {
			return errors.New("a window of active days is made of days")
		}
	default:
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
