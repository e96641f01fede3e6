package backtest

import (
	"encoding/json"
	"iter"
	"time"

	"ebb/cmd/ebb/backtest/silences"
	"ebb/scoring/model"
)

// Figure is a measured number; NaN where there was nothing to measure.
type Figure = silences.Figure

// MarshalJSON writes an array of two.
func (i Interval) MarshalJSON() ([]byte, error) { return json.Marshal([2]Figure{i.Low, i.High}) }

// UnmarshalJSON reads an array of two.
func (i *Interval) UnmarshalJSON(b []byte) error {
	var both [2]Figure
	err := json.Unmarshal(b, &both)
	i.Low, i.High = both[0], both[1]
	return err
}

// Report is what was measured.
type Report struct {
	Pack        Pack      `json:"pack"`
	HorizonDays Figure    `json:"horizon_days"`
	ActiveDays  Figure    `json:"active_days"`
	First       time.Time `json:"first"` // event
	Last        time.Time `json:"last"`  // event
	Counts
	Alerts *silences.Report `json:"alerts"` // null where the log was too short to judge them
	Dates  []*Date          `json:"dates"`
	Mean   Mean             `json:"mean"`
}

// Pack identifies the pack that was measured.
type Pack struct {
	Name     string             `json:"name"`
	Version  string             `json:"version"`
	Hash     string             `json:"hash"`
	Activity []string           `json:"activity"`
	Friction map[string]float64 `json:"friction"`
	Eligible string             `json:"eligible,omitempty"` // the signal after which it alerts about a customer
}

// Date is what was measured at one date.
type Date struct {
	At            time.Time     `json:"at"`
	Customers     int           `json:"customers"` // active ones
	Churned       int           `json:"churned"`
	Scores        []ScoreFigure `json:"scores"` // ebb first, then the rules it is compared with
	Probabilities Probabilities `json:"probabilities"`
	Without       []Without     `json:"without"`

	ROC    [][]Point `json:"-"` // of Scores, in their order
	Bins   [2][]Bin  `json:"-"` // of the cold and the self-calibrated probability
	Spread Histogram `json:"-"`

	snapshot *snapshot
}

// Scored is one customer at a date.
type Scored struct {
	Key     string  // of the customer
	Score   float64 // log-odds
	Churned bool
}

// Scored yields the customers of the date, in the order in which the log first names them.
func (d *Date) Scored() iter.Seq[Scored] {
	return func(yield func(Scored) bool) {
		for i := range d.snapshot.rows {
			r := &d.snapshot.rows[i]
			if !yield(Scored{r.customer.name, r.score, r.churned}) {
				return
			}
		}
	}
}

// ScoreFigure is how well a score separates the customers who churn.
type ScoreFigure struct {
	Name             string   `json:"name"`
	AUC              Figure   `json:"auc"`
	Interval         Interval `json:"auc_interval"`
	Lead             Interval `json:"ebb_ahead_by"` // interval of ebb's AUC less this one's
	AveragePrecision Figure   `json:"average_precision"`
	TopTenth         Figure   `json:"precision_top_tenth"`
}

// Probabilities is how well the probabilities match what happened: the score's own, and those calibrated by the probes
// resolved by then.
type Probabilities struct {
	Cold           Honesty `json:"cold"`
	SelfCalibrated Honesty `json:"self_calibrated"`
	Probes         Figure  `json:"probes"` // weight of those behind the self-calibrated one
	Provisional    bool    `json:"provisional"`
}

// Weight is Probes as a whole number.
func (p Probabilities) Weight() int64 { return int64(p.Probes) }

// Honesty is how far probabilities are from what happened.
type Honesty struct {
	Brier Figure `json:"brier"`
	Error Figure `json:"calibration_error"`
}

// Without is the score without one of its terms, or without a factor of the pack that added something for any customer.
type Without struct {
	Term string `json:"term"`
	AUC  Figure `json:"auc"`
}

// Histogram counts customers by score, in steps of half a unit of log-odds from Low on.
type Histogram struct {
	Low             float64
	Stayed, Churned []int
}

// Mean is the mean of the figures over the dates, with equal weight for each date.
type Mean struct {
	Scores        []ScoreMean `json:"scores"`
	Probabilities MeanHonesty `json:"probabilities"`
	Without       []Without   `json:"without"`
}

// ScoreMean is a score's mean figures.
type ScoreMean struct {
	Name             string `json:"name"`
	AUC              Figure `json:"auc"`
	AveragePrecision Figure `json:"average_precision"`
	TopTenth         Figure `json:"precision_top_tenth"`
}

// MeanHonesty is the mean of both probabilities' figures.
type MeanHonesty struct {
	Cold           Honesty `json:"cold"`
	SelfCalibrated Honesty `json:"self_calibrated"`
}

// report puts together what was measured.
func (e *Engine) report() *Report {
	k := e.scorer.Pack
	r := &Report{
		Pack:        Pack{k.Name, k.Version, k.Hash, k.Activity, k.Friction, k.EligibleSignal()},
		HorizonDays: inDays(e.horizon), ActiveDays: inDays(e.active),
		First: instant(e.first), Last: instant(e.newest), Counts: e.counts, Alerts: e.judgement(),
	}
	for _, s := range e.snapshots {
		if s.done {
			r.Dates = append(r.Dates, e.reportOn(s))
		}
	}
	r.Mean = mean(r.Dates)
	return r
}

func instant(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func inDays(ms int64) Figure { return Figure(float64(ms) / millisPerDay) }

// rocPoints is how many points a curve is drawn with.
const rocPoints = 160

func (e *Engine) reportOn(s *snapshot) *Date {
	churned := s.churned()
	d := &Date{At: instant(s.at), Customers: len(s.rows), snapshot: s}
	var rankings []*ranking
	for _, c := range s.contenders() {
		r := newRanking(c.scores, churned)
		rankings = append(rankings, r)
		d.Churned = r.left
		d.Scores = append(d.Scores, ScoreFigure{
			Name:             c.name,
			AUC:              Figure(r.auc()),
			AveragePrecision: Figure(r.averagePrecision()),
			TopTenth:         Figure(r.precisionOf(r.topTenth())),
		})
		d.ROC = append(d.ROC, r.roc(rocPoints))
	}
	aucs, leads := bootstrap(uint64(s.at), rankings)
	for i := range d.Scores {
		d.Scores[i].Interval, d.Scores[i].Lead = aucs[i], leads[i]
	}
	d.probabilities(s, churned)
	for i, name := range s.names {
		if i != model.TermBase && (i < model.NumTerms || e.applied[i]) { // the base is the same for every customer
			d.Without = append(d.Without, Without{name, Figure(newRanking(s.without(i), churned).auc())})
		}
	}
	d.Spread = histogram(s.scores(), churned)
	return d
}

func (d *Date) probabilities(s *snapshot, churned []bool) {
	var cold model.Curve
	measure := func(c *model.Curve, bins *[]Bin) Honesty {
		p := column(s, func(r *row) float64 { return c.Probability(r.score) })
		*bins = calibrationBins(p, churned)
		return Honesty{Figure(brier(p, churned)), Figure(calibrationError(*bins))}
	}
	d.Probabilities = Probabilities{
		Cold: measure(&cold, &d.Bins[0]), SelfCalibrated: measure(&s.curve, &d.Bins[1]),
		Probes: Figure(s.curve.Probes), Provisional: s.curve.Provisional(),
	}
}

// Steps of a histogram, in log-odds, and its lowest and highest limit.
const (
	histogramStep = 0.5
	histogramLow  = -8.0
	histogramHigh = 8.0
)

func histogram(scores []float64, churned []bool) Histogram {
	n := int((histogramHigh - histogramLow) / histogramStep)
	h := Histogram{Low: histogramLow, Stayed: make([]int, n), Churned: make([]int, n)}
	for i, s := range scores {
		at := min(max(int((s-histogramLow)/histogramStep), 0), n-1)
		if churned[i] {
			h.Churned[at]++
		} else {
			h.Stayed[at]++
		}
	}
	return h
}

func share(part, whole int64) Figure { return Figure(float64(part) / float64(whole)) }
