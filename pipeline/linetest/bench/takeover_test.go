package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestDiary(t *testing.T) {
	var d diary
	for _, part := range []string{
		`{"level":"info","message":"starting","config":{"kafka.session_timeout":"10s","kafka.heartbeat":"250ms"}}` + "\n" + `{"message":"joi`,
		`ned group","generation":7,"partitions":[0,2]}` + "\npanic: not a line of the log\n",
		`{"message":"partition taken over","partition":2,"published":99,"took":12.5}` + "\n",
		`{"message":"partition taken over","partition":0,"published":41,"took":2}` + "\n" + `{"message":"half`,
	} {
		if n, err := d.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	}
	ignore := cmpopts.IgnoreUnexported(said{})
	joined, ok := d.latest(saidJoined, time.Time{}, time.Now())
	diff := cmp.Diff(said{Message: saidJoined, Generation: 7, Partition: -1, Partitions: []int32{0, 2}}, joined, ignore)
	if !ok || diff != "" {
		t.Error(ok, diff)
	}
	taken, ok := d.taken(0, time.Time{})
	diff = cmp.Diff(said{Message: saidTaken, Partition: 0, Published: 41, Took: 2}, taken, ignore)
	if !ok || diff != "" {
		t.Error(ok, diff)
	}
	if _, ok := d.taken(0, time.Now()); ok {
		t.Error("a line is found after it was said")
	}
	if _, ok := d.latest(saidJoined, time.Time{}, joined.at.Add(-1)); ok {
		t.Error("a line is found before it was said")
	}
	if tail := string(
		d.tail(),
	); !strings.Contains(tail, "panic: not a line") ||
		!strings.HasSuffix(tail, `{"message":"half`) {
		t.Errorf("tail %q", tail)
	}
	var r takeoverReport
	if r.setTimes(&d); r.Session != 10 || r.Heartbeat != 0.25 {
		t.Errorf("session %g s, heartbeat %g s", r.Session, r.Heartbeat)
	}
}

func TestMoves(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	m := newMoves()
	for _, s := range []struct{ second, offset int }{{0, 10}, {1, 10}, {2, 11}, {7, 30}, {8, 31}} {
		m.note(3, move{begin.Add(time.Duration(s.second) * time.Second), int64(s.offset)})
	}
	if at, ok := m.past(3, 11); !ok || at != begin.Add(7*time.Second) {
		t.Errorf("past 11 at %v, %t", at, ok)
	}
	if _, ok := m.past(3, 31); ok {
		t.Error("the offset is beyond where it stands")
	}
	if got := m.pause(3); got != 5*time.Second {
		t.Errorf("the longest pause was %v", got)
	}
	m.forget()
	if got := m.latest()[3]; got.offset != 31 {
		t.Errorf("after forgetting the latest is %d", got.offset)
	}
	if _, ok := m.past(3, 11); !ok || m.pause(3) != 0 {
		t.Error("forgetting has to leave the latest, and nothing else")
	}
}

// The steps of a partition that came back add up to its time, also where the log lacks a line.
func TestSteps(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(s float64) time.Time { return begin.Add(time.Duration(s * float64(time.Second))) }
	gone, other := &member{name: "a"}, &member{name: "b"}
	gone.diary.lines = []said{
		{at: at(-5), Message: saidStarting},
		{at: at(-4), Message: saidJoined},
		{at: at(0.25), Message: saidGivenUp},
	}
	other.diary.lines = []said{
		{at: at(-5), Message: saidStarting},
		{at: at(-4), Message: saidJoined},
		{at: at(1), Message: saidGivenUp},
		{at: at(1.5), Message: saidJoined},
		{at: at(2), Message: saidTaken, Partition: 1},
	}
	back := &back{by: other, taken: other.diary.lines[4], at: at(3)}
	all := ways()
	for _, c := range []struct {
		way  way
		want []step
	}{
		{all[0], []step{{stepNoticed, 1}, {stepJoined, 0.5}, {stepTaken, 0.5}, {stepPublished, 1}}},
		{all[1], []step{{stepJoined, 1.5}, {stepTaken, 0.5}, {stepPublished, 1}}},
		{all[2], []step{{stepDrained, 0.25}, {stepNoticed, 0.75}, {stepJoined, 0.5}, {stepTaken, 0.5}, {stepPublished, 1}}},
	} {
		t.Run(c.way.name, func(t *testing.T) {
			got := stepsOf(c.way, &going{member: gone, at: begin}, back)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTakeoverReport(t *testing.T) {
	all := ways()
	r := &takeoverReport{Session: 10, Heartbeat: 1}
	for i, seconds := range [][]float64{{10.5, 11}, {1, 2.5}, {0.5}, {3}} {
		m := r.add(all[i])
		for _, s := range seconds {
			m.Kills = append(m.Kills, kill{Seconds: s, Steps: []step{{stepJoined, s / 2}, {stepPublished, s / 2}}})
		}
	}
	r.Ways[3].Kills[0].Rebalances = 1
	var table, object bytes.Buffer
	if err := r.write(&table, false); err != nil {
		t.Fatal(err)
	}
	if err := r.write(&object, true); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Ways []struct {
			Way string
			Aim *float64 `json:"aim_seconds"`
			Met bool     `json:"aim_met"`
		}
	}
	if err := json.Unmarshal(object.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"abandoned 11 true", "restarted 2 false", "left 1 true", "rolled - false"} {
		w, aim := got.Ways[i], "-"
		if w.Aim != nil {
			aim = fmt.Sprint(*w.Aim)
		}
		if is := fmt.Sprint(w.Way, " ", aim, " ", w.Met); is != want {
			t.Errorf("%s, not %s", is, want)
		}
	}
	for _, line := range []string{
		"kill 2 10.75 11.00 11.00 met",
		"start 2 1.75 2.50 2.00 MISSED",
		"no rebalance seen by others MISSED (1)",
	} {
		if !strings.Contains(strings.Join(strings.Fields(table.String()), " "), line) {
			t.Errorf("the table lacks %q:\n%s", line, &table)
		}
	}
}

func TestWaysNamed(t *testing.T) {
	if got, err := waysNamed("left,abandoned"); err != nil || got[0].name != "left" || got[1].name != "abandoned" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := waysNamed("left,right"); err == nil {
		t.Error("an unknown way is taken")
	}
}
