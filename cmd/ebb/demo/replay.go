package demo

import (
	"errors"
	"time"

	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
	"ebb/scoring"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// scores is a customer's risk score over time, in equal steps.
type scores struct {
	from, step int64     // ms since the epoch, ms
	most       []float64 // the highest of each step, 0 to 100; below 0: there is none yet
	visited    []bool    // whether there was activity in it
}

// at is the step of a moment.
func (s *scores) at(ms int64) int { return int((ms - s.from) / s.step) }

// note raises the score of the step of a moment.
func (s *scores) note(at int64, risk float64) {
	i := s.at(at)
	s.most[i] = max(s.most[i], risk)
}

// replay computes a customer's scores again, from the events of its partition as the line has done: what is learnt
// there from all customers is part of every score.
type replay struct {
	scorer     *scoring.Scorer
	population profile.Population
	customers  map[string]*folded
	at         profile.Customer // whom the scorer looks at
	scores     scores
	next       int64 // the end of the step whose score is not noted yet
}

// folded is a customer's state.
type folded struct {
	profile  profile.Profile
	features []byte
}

func newReplay(k *pack.Pack) *replay {
	return &replay{scorer: scoring.NewScorer(k), customers: map[string]*folded{}}
}

var errFed = errors.New("all events that were fed")

// scores are the risk scores of the customer of a key up to the last event fed, in so many steps.
func (d *demo) scores(key string, from time.Time, steps int) (*scores, error) {
	r := newReplay(d.pack)
	s := &r.scores
	s.from, s.most, s.visited = from.UnixMilli(), make([]float64, steps), make([]bool, steps)
	s.step = (d.latest-s.from)/int64(steps) + 1
	for i := range s.most {
		s.most[i] = -1
	}
	r.next = s.from + s.step
	decoder, e, n := d.opts.Config.Input.Decoder(0), pipeline.Event{}, int64(0)
	mine := kafkawire.Partition([]byte(key), d.partitions)
	err := d.log.each(func(customer, value []byte, at int64) error {
		if n++; n > d.fed {
			return errFed
		}
		if kafkawire.Partition(customer, d.partitions) != mine {
			return nil
		}
		decoder.Decode(&pipeline.Record{Key: customer, Value: value, Timestamp: at}, &e)
		if e.Counts() {
			r.event(string(customer), key, &e)
		}
		return nil
	})
	r.until(key, d.latest)
	s.note(d.latest, r.risk(key, d.latest))
	if errors.Is(err, errFed) {
		err = nil
	}
	return s, err
}

// event applies an event, and notes the score before and after it if it is of the customer of the key.
func (r *replay) event(customer, key string, e *pipeline.Event) {
	r.until(key, e.Time)
	if customer == key {
		r.scores.note(e.Time, r.risk(key, e.Time))
	}
	if r.fold(customer, e) && customer == key {
		r.scores.visited[r.scores.at(e.Time)] = true
	}
	if customer == key {
		r.scores.note(e.Time, r.risk(key, e.Time))
	}
}

// until notes the scores at the ends of all steps that end by a moment.
func (r *replay) until(key string, at int64) {
	for ; r.next <= at; r.next += r.scores.step {
		r.scores.note(r.next-1, r.risk(key, r.next-1))
	}
}

// fold applies an event to its customer, and reports whether it was activity.
func (r *replay) fold(customer string, e *pipeline.Event) bool {
	signal := r.scorer.Pack.Signal(e.Type, e.Properties...)
	if !signal.Effective() {
		return false
	}
	c := r.customers[customer]
	if c == nil {
		c = &folded{}
		r.customers[customer] = c
	}
	r.look(c, e.Time)
	r.scorer.Observe(&r.at, &r.population, &scoring.Observation{
		Time: e.Time, Signal: signal, Value: e.Value, HasValue: e.HasValue, Properties: e.Properties,
	})
	c.features = r.at.Features
	return signal.Activity
}

// look makes the scorer look at a customer, after all that was due for it.
func (r *replay) look(c *folded, at int64) {
	r.at = profile.Customer{Profile: &c.profile, Features: c.features}
	for c.profile.Armed != 0 && c.profile.Armed <= at/time.Minute.Milliseconds() {
		r.scorer.Wake(&r.at)
	}
}

// risk is a customer's risk score at a moment, not below the floors of its open episodes; below 0: there is none yet.
func (r *replay) risk(customer string, at int64) float64 {
	c := r.customers[customer]
	if c == nil || c.profile.Visits == 0 {
		return -1
	}
	r.look(c, at)
	score, floor := r.scorer.Eval.Score(&r.at, at), 0.0
	for n := range c.profile.Touched.All {
		f, _ := r.scorer.EpisodeFloor(&r.at, n)
		floor = max(floor, f)
	}
	return float64(score.Floored(floor)) / 1000
}
