package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"ebb/pipeline"
	"ebb/scoring/strictyaml"
)

func budgetSettings(all *pipeline.Budgets) []setting {
	return []setting{
		{
			path:  "budgets",
			value: budgetsValue{all},
			doc: "How many raises of a lane are published in a day of event time (UTC), over all partitions, by lane: the owner of " +
				"a play, or its intent. `{crm: {daily: [50, 100, 250]}}`: 50 on the first day on which any is, 100 on the second, 250 " +
				"from then on, as a new sender warms up; after 30 days without any it begins anew. Each raise of the lane waits to the " +
				"end of its hour at least, the most important go first, and the others wait on until they are out of date. In the " +
				"environment `crm=50/100/250,offer=20`. Empty: no raise waits. [Budgets](playbooks.md#budgets).",
		},
	}
}

// budgetsValue is how many a day by lane.
type budgetsValue struct{ p *pipeline.Budgets }

func (v budgetsValue) kind() string { return "numbers a day by lane" }

func (v budgetsValue) item() string { return "map with daily, a list of numbers," }

const budgetForm = "lane=number/number"

func (v budgetsValue) String() string {
	var items []string
	for _, b := range *v.p {
		daily := make([]string, len(b.Daily))
		for i, n := range b.Daily {
			daily[i] = strconv.Itoa(n)
		}
		items = append(items, b.Lane+"="+strings.Join(daily, "/"))
	}
	return strings.Join(items, ",")
}

func (v budgetsValue) set(text string) error {
	items, err := splitItems(text, "", budgetForm, strings.IndexByte)
	if err != nil {
		return err
	}
	return v.setItems(items)
}

func (v budgetsValue) setItems(items map[string]string) error {
	var all pipeline.Budgets
	for _, lane := range slices.Sorted(maps.Keys(items)) {
		b := pipeline.Budget{Lane: lane}
		for text := range strings.SplitSeq(items[lane], "/") {
			n, err := strconv.Atoi(strings.TrimSpace(text))
			if err != nil {
				return fmt.Errorf("want whole numbers for %q, found %q", lane, text)
			}
			b.Daily = append(b.Daily, n)
		}
		all = append(all, b)
	}
	read, err := pipeline.ReadBudgets(all.Text())
	if err != nil {
		return err
	}
	*v.p = read
	return nil
}

// text is a lane's part as it is written in one text.
func (v budgetsValue) text(n strictyaml.Node) (text string, ok bool) {
	entries, ok := n.Entries()
	if !ok || len(entries) != 1 || entries[0].Key != "daily" {
		return "", false
	}
	if text, ok := entries[0].Value.Scalar(); ok {
		return text, true
	}
	list, ok := entries[0].Value.List()
	if !ok {
		return "", false
	}
	numbers := make([]string, len(list))
	for i, n := range list {
		if numbers[i], ok = n.Scalar(); !ok {
			return "", false
		}
	}
	return strings.Join(numbers, "/"), true
}
