package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/backtest"
	"ebb/cmd/ebb/inspect"
	"ebb/cmd/ebb/processor"
	"ebb/cmd/ebb/shadow"
	"ebb/cmd/ebb/terminal"
	"ebb/scoring/pack"
	"ebb/scoring/scoringtest/golden"
)

// shadowsOf runs packs shadow --json.
func (s *services) shadowsOf(t testing.TB, args ...string) (r shadow.Report) {
	t.Helper()
	o := run(t, s.environ, nil, append([]string{"packs", "shadow", "--json"}, args...)...).want(t, exitOK)
	if err := json.Unmarshal([]byte(o.stdout), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestPacksShadow: with the same pack the matrix is diagonal and nothing differs. With another one the matrix and the
// decisions, published or withheld by a stage, are those of packs diff, which folds the log itself and has no stages.
func TestPacksShadow(t *testing.T) {
	log := shopLog(t, 150)
	const a, b = "testdata/packs_diff_a.yaml", "testdata/packs_diff_b.yaml"
	s := startShop(t, log, 1, "same="+a+",other="+b)
	s.environ = append(s.environ, "EBB_PACK="+a)
	sum := summaryOf(t, run(t, s.environ, nil, "run", "--until-end", "--leave").want(t, exitOK))
	r := s.shadowsOf(t, "--days", "5000", "--top", "1000")
	if len(r.Shadows) != 2 || len(r.Unconfigured) != 0 {
		t.Fatalf("%+v", r)
	}
	other, same := &r.Shadows[0], &r.Shadows[1]

	var diff struct {
		Decided struct {
			Customers  int64
			Alerts     []backtest.AlertCount
			Migrations []backtest.Cells
		}
	}
	o := run(t, nil, nil, "packs", "diff", a, b, "--json", "--events", log).want(t, exitFailed)
	if err := json.Unmarshal([]byte(o.stdout), &diff); err != nil {
		t.Fatal(err)
	}
	want := diff.Decided.Migrations[0]
	if d := gocmp.Diff(want.Tiers, other.Migration.Tiers); d != "" || len(want.Tiers) < 6 {
		t.Errorf("tiers (-diff +shadow): %s", d)
	}
	if d := gocmp.Diff(want.Stages, other.Migration.Stages); d != "" || len(want.Stages) < 3 {
		t.Errorf("stages (-diff +shadow): %s", d)
	}
	counts, wanted := withheldBy(&sum, "other"), map[[2]string][2]int64{}
	for _, n := range diff.Decided.Alerts {
		wanted[[2]string{n.Kind, n.Transition}] = [2]int64{n.A, n.B}
	}
	for _, n := range other.Alerts.Sorts {
		c := counts[[2]string{n.Kind, n.Transition}]
		counts[[2]string{n.Kind, n.Transition}] = [2]int64{c[shadow.MainSide] + n.Main, c[shadow.ShadowSide] + n.Shadow}
		if perDay := float64(n.Shadow) / other.Alerts.Days; math.Abs(perDay-n.ShadowPerDay) > 0.0006 {
			t.Errorf("%g alerts a day, want %g", n.ShadowPerDay, perDay)
		}
	}
	if d := gocmp.Diff(wanted, counts); d != "" || len(wanted) < 3 {
		t.Errorf("decisions (-diff +shadow): %s", d)
	}
	if other.Apart != 0 || !other.Begun ||
		other.Customers.Both+other.Customers.Main+other.Customers.Shadow != diff.Decided.Customers {
		t.Errorf("%+v, want %d customers", other.Customers, diff.Decided.Customers)
	}
	s.alertedBy(t, other)
	for i := range other.Top {
		c := &other.Top[i]
		if math.Abs(c.Shadow.Risk-c.Main.Risk-c.Difference) > 1e-9 ||
			i > 0 && math.Abs(c.Difference) > math.Abs(other.Top[i-1].Difference) {
			t.Errorf("%+v", c)
		}
		s.scoredAs(t, c, a, "ebb", c.Main)
		s.scoredAs(t, c, b, "ebb.shadow.other", c.Shadow)
	}
	if len(other.Top) < 15 {
		t.Errorf("%d scores differ", len(other.Top))
	}

	for _, cell := range same.Migration.Tiers {
		if cell.A != cell.B {
			t.Errorf("the same pack: %+v", cell)
		}
	}
	for _, n := range same.Alerts.Sorts {
		if n.Main != n.Shadow || n.Main == 0 {
			t.Errorf("the same pack: %+v", n)
		}
	}
	c := same.Alerts.Customers
	if len(same.Top) != 0 || c.Main+c.Shadow != 0 || c.Both == 0 || len(same.Migration.Tiers) < 3 {
		t.Errorf("the same pack: %+v", same)
	}
	s.inDays(t, other)
}

// withheldBy are the decisions that stages withheld from the main group and from a shadow, by kind and transition.
func withheldBy(sum *processor.Summary, name string) map[[2]string][2]int64 {
	sides := [2]map[string]map[string]uint64{shadow.MainSide: sum.Withheld}
	for i := range sum.Shadows {
		if sum.Shadows[i].Name == name {
			sides[shadow.ShadowSide] = sum.Shadows[i].Withheld
		}
	}
	by := map[[2]string][2]int64{}
	for side, kinds := range sides {
		for kind, transitions := range kinds {
			for transition, n := range transitions {
				c := by[[2]string{kind, transition}]
				c[side] = int64(n)
				by[[2]string{kind, transition}] = c
			}
		}
	}
	return by
}

// TestPacksShadowCountsItsOwn: alerts in the topic by another group, or by a pack that this shadow no longer has, are
// not counted.
func TestPacksShadowCountsItsOwn(t *testing.T) {
	const a = "testdata/packs_diff_a.yaml"
	s := startShop(t, shopLog(t, 20), 1, "same="+a)
	s.environ = append(s.environ, "EBB_PACK="+a)
	run(t, s.environ, nil, "run", "--until-end", "--leave").want(t, exitOK)
	want := s.shadowsOf(t, "--days", "5000")
	c := s.client(
		t,
		kgo.ConsumeTopics("ebb.shadow"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.MaxConcurrentFetches(1),
	)
	fetches := c.PollFetches(t.Context())
	if err := fetches.Err0(); err != nil {
		t.Fatal(err)
	}
	own := fetches.Records()[0]
	hash := []byte(pack.Short(want.Shadows[0].Packs.Shadow.Hash))
	for i, change := range []func(r *kgo.Record){
		func(*kgo.Record) {},
		func(r *kgo.Record) { r.Value = bytes.Replace(r.Value, hash, bytes.Repeat([]byte("0"), len(hash)), 1) },
		func(r *kgo.Record) {
			at := slices.IndexFunc(r.Headers, func(h kgo.RecordHeader) bool { return h.Key == "ce_source" })
			r.Headers[at].Value = []byte("/ebb/another/events")
		},
	} {
		r := kgo.Record{
			Topic:     own.Topic,
			Partition: own.Partition,
			Key:       own.Key,
			Headers:   slices.Clone(own.Headers),
			Timestamp: own.Timestamp,
		}
		r.Value = bytes.Replace(own.Value, []byte(`{"id":"`), fmt.Appendf(nil, `{"id":"%d`, i), 1)
		change(&r)
		if err := c.ProduceSync(t.Context(), &r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	counted := func(r *shadow.Report) (n int64) {
		for _, sort := range r.Shadows[0].Alerts.Sorts {
			n += sort.Shadow
		}
		return n
	}
	if got := s.shadowsOf(t, "--days", "5000"); counted(&got) != counted(&want)+1 {
		t.Errorf("%d alerts, then with one more of the shadow's own %d", counted(&want), counted(&got))
	}
}

// TestPacksShadowReadsThroughEmptyAnswers: brokers that answer without records now and then do not end the count.
func TestPacksShadowReadsThroughEmptyAnswers(t *testing.T) {
	s := startShop(t, shopLog(t, 40), 2, "other=any")
	run(t, s.environ, nil, "run", "--until-end", "--leave").want(t, exitOK)
	want := s.shadowsOf(t, "--days", "5000").Shadows[0].Alerts
	s.answerEmptyAtFirst()
	got := s.shadowsOf(t, "--days", "5000").Shadows[0].Alerts
	if diff := gocmp.Diff(want, got); diff != "" || len(want.Sorts) == 0 {
		t.Errorf("(-brokers at rest +brokers that answer empty):\n%s", diff)
	}
}

// TestPacksShadowGoesOnAfterRetention: an alert that is deleted between the partition's bounds and the first fetch is
// not counted, and the others are.
func TestPacksShadowGoesOnAfterRetention(t *testing.T) {
	s := startShop(t, shopLog(t, 40), 1, "other=any")
	run(t, s.environ, nil, "run", "--until-end", "--leave").want(t, exitOK)
	main := func(r *shadow.Report) (n int64) {
		for _, sort := range r.Shadows[0].Alerts.Sorts {
			n += sort.Main
		}
		return n
	}
	before := s.shadowsOf(t, "--days", "5000")
	asked, deleted := s.answerEmptyUntil(t, 0)
	done := make(chan outcome)
	go func() { done <- run(t, s.environ, nil, "packs", "shadow", "--json", "--days", "5000") }()
	<-asked
	if err := s.kafka.DeleteRecords("ebb.alerts", 0, 1); err != nil {
		t.Fatal(err)
	}
	deleted()
	var after shadow.Report
	if err := json.Unmarshal([]byte((<-done).want(t, exitOK).stdout), &after); err != nil {
		t.Fatal(err)
	}
	if main(&before) < 2 || main(&after) != main(&before)-1 {
		t.Errorf("%d alerts, then %d", main(&before), main(&after))
	}
}

// alertedBy compares the customers that either side has alerted with the topics.
func (s *services) alertedBy(t *testing.T, r *shadow.Comparison) {
	t.Helper()
	var by [2]map[string]bool
	for i, all := range [][]published{s.published(t, "ebb.alerts"), of(r.Group, s.published(t, "ebb.shadow"))} {
		by[i] = map[string]bool{}
		for _, p := range all {
			by[i][p.Key] = true
		}
	}
	want := r.Alerts.Customers
	want.Both, want.Main, want.Shadow = 0, 0, int64(len(by[1]))
	for key := range by[0] {
		if by[1][key] {
			want.Both++
			want.Shadow--
		} else {
			want.Main++
		}
	}
	if want != r.Alerts.Customers || want.Both == 0 || want.Main+want.Shadow == 0 {
		t.Errorf("customers alerted: %+v, want %+v", r.Alerts.Customers, want)
	}
}

// scoredAs compares a score with that of inspect, which reads the one customer.
func (s *services) scoredAs(t *testing.T, c *shadow.ScoreChange, pack, group string, want shadow.Score) {
	t.Helper()
	environ := append([]string{"EBB_KAFKA_GROUP=" + group, "EBB_SHADOWS=", "EBB_PACK=" + pack}, s.environ[:2]...)
	o := run(t, environ, nil, "inspect", "--json", c.Customer).want(t, exitOK)
	var v inspect.Customer
	if err := json.Unmarshal([]byte(o.stdout), &v); err != nil {
		t.Fatal(err)
	}
	if want.Floor == 0 && (v.Risk != want.Risk || v.Tier != want.Tier) || want.Floor > 0 && want.Risk < v.Risk {
		t.Errorf("%s of %s: %+v, inspect says %g %s", c.Customer, group, want, v.Risk, v.Tier)
	}
}

// inDays: with fewer days only the alerts of these are counted.
func (s *services) inDays(t *testing.T, all *shadow.Comparison) {
	t.Helper()
	r := s.shadowsOf(t, "other", "--days", "20")
	got := r.Shadows[0].Alerts
	if len(r.Shadows) != 1 || got.Days != 20 || !got.Until.Equal(all.At) || got.Until.Sub(got.From) != 20*advice.Day {
		t.Fatalf("%+v", got)
	}
	var want, have [2]int64
	for i, records := range [][]published{s.published(t, "ebb.alerts"), of(all.Group, s.published(t, "ebb.shadow"))} {
		for _, p := range records {
			if p.Timestamp > got.From.UnixMilli() {
				want[i]++
			}
		}
	}
	for _, n := range got.Sorts {
		have[shadow.MainSide], have[shadow.ShadowSide] = have[shadow.MainSide]+n.Main, have[shadow.ShadowSide]+n.Shadow
	}
	if have != want || want[0] == 0 || want[1] == 0 {
		t.Errorf("alerts of 20 days: %d, want %d", have, want)
	}
}

// TestPacksShadowText shows the output for people: testdata/packs_shadow.golden is made to be read.
func TestPacksShadowText(t *testing.T) {
	const a, b = "testdata/packs_diff_a.yaml", "testdata/packs_diff_b.yaml"
	s := startShop(t, shopLog(t, 150), 2, "candidate="+b+",new="+a)
	s.environ = append(s.environ, "EBB_PACK="+a)
	var shown strings.Builder
	show := func(name string, code int, args ...string) {
		t.Helper()
		args = append([]string{"packs", "shadow"}, args...)
		o := run(t, s.environ, nil, args...).want(t, code)
		text := s.plainly("## " + name + "\n$ ebb " + strings.Join(args, " ") + "\n" + o.stdout + o.stderr + "\n")
		if wide := tooWide(text, terminal.Widest); len(wide) > 0 {
			t.Errorf("%s: too wide\n%s", name, strings.Join(wide, ""))
		}
		shown.WriteString(text)
	}
	show("before anything ran", exitOK)
	run(t, append(s.environ, "EBB_SHADOWS=candidate="+b+",old="+a), nil, "run", "--until-end", "--leave").want(t, exitOK)
	show("all", exitOK, "--top", "5", "--days", "90")
	run(
		t,
		append(s.environ, "EBB_SHADOWS="),
		nil,
		"produce",
		writeLog(t, "more.ndjson", `{"customer":"c1","type":"Order Completed","time":"2026-06-01T00:00:00Z"}`+"\n"),
	).want(t, exitOK)
	run(t, append(s.environ, "EBB_SHADOWS="), nil, "run", "--until-end", "--leave").want(t, exitOK)
	show("the shadow has not come as far", exitOK, "candidate", "--top", "0")
	show("no such shadow", exitUsage, "candidat")
	golden.File(t, "packs_shadow.golden", shown.String())
}

// TestForgetShadow: forget removes a shadow's state and position, once nothing runs it, and nothing else. The shadow
// begins again, and the alerts that it decides again count once.
func TestForgetShadow(t *testing.T) {
	s := startShop(t, shopLog(t, 40), 2, "x=any,x2=any")
	run(t, s.environ, nil, "run", "--until-end", "--leave").want(t, exitOK)
	before := s.shadowsOf(t)
	alerts, shadowed := s.published(t, "ebb.alerts"), s.published(t, "ebb.shadow")
	only := append(s.environ, "EBB_SHADOWS=x2=any")
	o := run(t, only, nil, "packs", "shadow").want(t, exitOK)
	if !strings.HasSuffix(
		o.stdout,
		"\nThe shadow x is not configured any more, and what it kept is still there.\nTo remove it:\n  ebb packs shadow "+"--forget x\n",
	) {
		t.Errorf("stdout:\n%s", o.stdout)
	}
	asked := run(t, only, strings.NewReader("no\n"), "packs", "shadow", "--forget", "x").want(t, exitUsage)
	if !strings.Contains(asked.stderr, "group ebb.shadow.x in Redis") {
		t.Errorf("stderr:\n%s", asked.stderr)
	}
	o = run(t, only, nil, "packs", "shadow", "--forget", "x", "--yes").want(t, exitOK)
	if !strings.Contains(o.stdout, " in Redis, 2 offsets in Kafka\n") {
		t.Errorf("stdout:\n%s", o.stdout)
	}
	o = run(t, only, nil, "packs", "shadow", "--forget", "x", "--yes").want(t, exitOK)
	if o.stdout != "nothing was kept of the shadow x\n" {
		t.Errorf("stdout:\n%s", o.stdout)
	}
	if o := run(t, only, nil, "packs", "shadow").want(t, exitOK); strings.Contains(o.stdout, "shadow x is not") {
		t.Errorf("stdout:\n%s", o.stdout)
	}
	run(t, s.environ, nil, "packs", "shadow", "--forget", "X", "--yes").want(t, exitUsage)
	for _, key := range s.redis.Keys() {
		if strings.HasPrefix(key, "ebb:{ebb.shadow.x:") {
			t.Errorf("%s is still there", key)
		}
	}
	if r := s.shadowsOf(t); r.Shadows[0].Begun || !r.Shadows[1].Begun {
		t.Errorf("%+v", r)
	}

	sum := summaryOf(t, run(t, s.environ, nil, "run", "--until-end").want(t, exitOK)) // its members are still in the group
	if len(s.published(t, "ebb.alerts")) != len(alerts) ||
		len(s.published(t, "ebb.shadow")) != len(shadowed)+int(sum.Shadows[0].Alerts) ||
		sum.Shadows[0].Alerts == 0 {
		t.Errorf("started again: %+v", sum)
	}
	diff := gocmp.Diff(before, s.shadowsOf(t), cmpopts.IgnoreUnexported(shadow.Comparison{}, shadow.ScoreChange{}))
	if diff != "" {
		t.Errorf("begun anew: %s", diff)
	}
	s.environ = append(s.environ, "EBB_KAFKA_SESSION_TIMEOUT=1s", "EBB_KAFKA_HEARTBEAT=100ms")
	o = run(t, s.environ, nil, "packs", "shadow", "--forget", "x", "--yes").want(t, exitFailed)
	if !strings.Contains(o.stderr, "group ebb.shadow.x still has 1 member") {
		t.Errorf("stderr:\n%s", o.stderr)
	}
	if diff := gocmp.Diff(before.Shadows[0].Customers, s.shadowsOf(t).Shadows[0].Customers); diff != "" {
		t.Error(diff)
	}

	s.redis.FlushAll()
	s.environ = append(s.environ, "EBB_SHADOWS=")
	if r := s.shadowsOf(t); !gocmp.Equal(r.Unconfigured, []string{"x", "x2"}) { // by their offsets in Kafka
		t.Errorf("%+v", r)
	}
}

// TestPacksShadowOfFew: one customer with one event, before any clock has started, and any number of days.
func TestPacksShadowOfFew(t *testing.T) {
	log := writeLog(t, "one.ndjson", `{"customer":"c1","type":"Order Completed","time":"2026-06-01T00:00:00Z"}`+"\n")
	s := startShop(t, log, 1, "same=retail,deaf=testdata/packs_diff_a.yaml")
	s.environ = append(s.environ, "EBB_PACK=retail")
	run(t, s.environ, nil, "run", "--until-end", "--leave").want(t, exitOK)
	for _, days := range []string{"0", "30", "4000000000"} {
		r := s.shadowsOf(t, "--days", days)
		one := r.Shadows[1]
		if one.Name != "same" || !one.Begun || one.Customers.Both != 1 || len(one.Alerts.Sorts) != 0 ||
			len(one.Migration.Tiers) != 1 {
			t.Errorf("%s days: %+v", days, one)
		}
		run(t, s.environ, nil, "packs", "shadow", "--days", days).want(t, exitOK)
	}
}
