package backtest

import (
	"fmt"

	"ebb/cmd/ebb/backtest/silences"
)

// RuleTitle is a rule in words.
func (r *Report) RuleTitle(name string) string {
	switch name {
	case nameRFM:
		return "RFM, as many"
	case nameSilent:
		return "30 days silent"
	case nameThird:
		return days(r.HorizonDays/3) + " days silent"
	}
	return name
}

// InWords is what alerts would be like, for somebody who decides whether to have them; empty where they were not
// judged.
func (r *Report) InWords() []string {
	if r.Alerts == nil {
		return nil
	}
	j := &r.Alerts.Rules[0].Classes[0]
	if j.Alerts == 0 {
		return []string{"Not one alert would have been raised that can be judged."}
	}
	said := []string{fmt.Sprintf("Of 100 alerts %.0f would be right: the customer does nothing for another %s days.",
		100*float64(j.Precision), days(r.HorizonDays))}
	if j.Lapses.Lapses > 0 {
		said = append(said, r.caughtInWords(&j.Lapses))
	}
	return said
}

func (r *Report) caughtInWords(c *silences.Caught) string {
	said := fmt.Sprintf("Of 100 customers who left (silent for more than %s days) %.0f would have been named by day %s, ",
		days(2*r.HorizonDays), 100*float64(c.Horizon), days(r.HorizonDays))
	if !c.MedianDays.Known() {
		return said + "less than half of all by day " + days(2*r.HorizonDays) + "."
	}
	return said + fmt.Sprintf("half of all by day %.0f.", float64(c.MedianDays))
}
