package sinktest

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"ebb/sinks/delivery"
)

// Subject is a kind of destination under test.
type Subject struct {
	Destination func() delivery.Destination // a new one, as a process that starts makes it
	Restart     func()                      // kills the receiver's process and starts it again; nil: it has none
}

// Settings are where the suite runs. Open makes a subject that leads to the receiver, until the test ends.
type Settings struct {
	Brokers []string
	Session time.Duration // of the group
	Open    func(t *testing.T, r *Receiver) Subject
}

// Run runs the suite.
func Run(t *testing.T, s Settings) {
	for _, c := range []struct {
		name string
		test func(w *world)
	}{
		{"delivers in order what is committed", testOrder},
		{"has one effect for each id", testOnce},
		{"stalls one partition and resumes", testStall},
		{"goes on after a clean stop", testStop},
		{"survives failures, kills and rebalances", testKills},
		{"gives up what has expired and nothing else", testExpiry},
		{"delivers from partitions that are added", testAdded},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(newWorld(t, &s)) })
	}
}

// testOrder: what was published in committed transactions comes, byte for byte and in order, and nothing else.
func testOrder(w *world) {
	w.send(5, 4, time.Time{}, true)
	w.send(5, 3, time.Time{}, false)
	w.send(5, 4, time.Now().Add(time.Hour), true)
	m := w.start("one")
	w.delivered(w.total())
	w.send(5, 2, time.Time{}, false)
	w.send(5, 2, time.Time{}, true)
	w.delivered(w.total())
	w.eventually("everything is committed", func() bool { return w.left() == 0 })
	w.stop(m)
	w.check(nil)
}

// testOnce: of two attempts whose first answer was lost, or came late, one has an effect.
func testOnce(w *world) {
	n := 0
	w.receiver.Behave(func(string) Answer {
		n++
		return []Answer{TakesMutely, TakesLate, Takes}[n%3]
	})
	w.send(3, 5, time.Time{}, true)
	m := w.start("one")
	w.delivered(w.total())
	w.eventually("attempts have succeeded", func() bool { return w.receiver.Attempts() > w.total()*2 })
	w.stop(m)
	w.check(nil)
}

// testStall: one alert that is refused holds up its partition, and no other; the offset does not pass it.
func testStall(w *world) {
	w.send(8, 3, time.Time{}, true)
	stuck := w.sent["customer-0"][1]
	w.receiver.Behave(func(id string) Answer {
		if id == stuck {
			return Refuses
		}
		return Takes
	})
	m := w.start("one")
	w.eventually("the stuck alert is tried again and again", func() bool { return w.receiver.Attempts() > 30 })
	w.eventually("the other partitions are delivered", func() bool {
		free := 0
		for _, s := range m.Status().Lanes {
			if s.Known && s.Behind == 0 {
				free++
			}
		}
		return free == partitions-1
	})
	for _, e := range w.receiver.Effects() {
		if e.ID == stuck || e.ID == w.sent["customer-0"][2] {
			w.t.Errorf("%s has taken effect", e.ID)
		}
	}
	w.stop(m)
	w.receiver.Behave(nil)
	m = w.start("one")
	w.delivered(w.total())
	w.stop(m)
	w.check(nil)
	if letters := w.letters(); len(letters) > 0 {
		w.t.Errorf("given up: %v", letters)
	}
}

// testStop: after a clean stop nothing is sent again.
func testStop(w *world) {
	w.send(4, 5, time.Time{}, true)
	m := w.start("one")
	w.eventually("deliveries are under way", func() bool { return w.receiver.Attempts() > 3 })
	w.stop(m)
	m = w.start("one")
	w.delivered(w.total())
	w.stop(m)
	if n := w.receiver.Attempts(); n != w.total() {
		w.t.Errorf("%d attempts for %d alerts", n, w.total())
	}
	w.check(nil)
}

// testKills: members are killed, stopped and joined by others, the receiver is killed, and 70 % of the attempts fail.
func testKills(w *world) {
	var mu sync.Mutex
	dice := rand.New(rand.NewPCG(1, 2))
	draw := func(n int) int {
		mu.Lock()
		defer mu.Unlock()
		return dice.IntN(n)
	}
	w.receiver.Behave(func(string) Answer {
		if draw(10) < 3 {
			return Takes
		}
		return Answer(1 + draw(int(Busy)-1)) // Busy would take a second each time
	})
	members := map[string]*member{"one": w.start("one"), "two": w.start("two")}
	for range 8 {
		w.send(6, 3, time.Now().Add(time.Hour), true)
		<-time.After(time.Duration(100+draw(400)) * time.Millisecond)
		name := []string{"one", "two"}[draw(2)]
		if draw(3) > 0 {
			members[name].kill()
			_ = <-members[name].ended // of what it was killed in the middle of
		} else {
			w.stop(members[name])
		}
		if w.subject.Restart != nil {
			w.subject.Restart()
		}
		members[name] = w.start(name)
	}
	w.delivered(w.total())
	w.receiver.Behave(nil)
	w.eventually("everything is committed", func() bool { return w.left() == 0 })
	w.stop(members["one"])
	w.stop(members["two"])
	w.check(nil)
	if letters := w.letters(); len(letters) > 0 {
		w.t.Errorf("given up: %v", letters)
	}
}

// testExpiry: what has expired is given up, once, with the reason; what has not, or never does, is delivered.
func testExpiry(w *world) {
	w.send(2, 2, time.Now().Add(-time.Hour), true)
	soon := time.Now().Add(2 * time.Second)
	w.send(2, 2, soon, true)
	given := map[string]bool{}
	for id := range w.bodies {
		given[id] = true
	}
	w.send(2, 1, time.Now().Add(time.Hour), true)
	w.send(2, 1, time.Time{}, true)
	w.receiver.Behave(func(string) Answer { return Refuses })
	m := w.start("one")
	w.eventually("what has expired is given up", func() bool { return len(w.letters()) >= len(given) })
	if now := time.Now(); now.Before(soon) {
		w.t.Errorf("given up %v too early", soon.Sub(now))
	}
	w.receiver.Behave(nil)
	w.delivered(w.total() - len(given))
	w.stop(m)
	w.check(given)
	seen := map[string]bool{}
	for _, l := range w.letters() {
		if !given[l.id] || seen[l.id] || l.headers["ebb.error.code"] != "expired" ||
			l.headers["__streams.errors.topic"] != w.topic || l.headers["ebb.deliver.group"] != w.group {
			w.t.Errorf("dead letter %v", l)
		}
		seen[l.id] = true
	}
}

// testAdded: partitions that are added while members run are delivered too.
func testAdded(w *world) {
	m := w.start("one")
	w.send(4, 1, time.Time{}, true)
	w.delivered(w.total())
	if _, err := w.admin.CreatePartitions(w.t.Context(), 4, w.topic); err != nil {
		w.t.Fatal(err)
	}
	w.eventually("the members know of them", func() bool { return len(m.Status().Lanes) == partitions+4 })
	w.stop(m)
}
