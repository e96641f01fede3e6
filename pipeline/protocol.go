package pipeline

import (
	"errors"
	"fmt"
	"slices"
)

// Step names one request of the protocol. The names are a contract: metrics, logs and fault schedules use them.
type Step uint8

// Steps, in the order in which a takeover goes through the first four.
const (
	StepInit     Step = iota // confirm the generation, fence earlier producers, end their transactions
	StepClaim                // fence earlier owners in the store, read R and the outbox
	StepPosition             // read P, and confirm the generation again
	StepStart                // publish the start offset, marked fresh, before the first commit
	StepCommit               // apply a batch to the store
	StepPublish              // publish the outbox and the offset in one transaction
	numSteps
)

var stepNames = [numSteps]string{"init", "claim", "position", "start", "commit", "publish"}

// String is the step's stable name.
func (s Step) String() string { return stepNames[s] }

// Request is one request to the Log or the Store. At most one request to each is in progress at a time.
type Request struct {
	Step    Step
	Token   Token     // claim: the new token
	Commit  *Commit   // commit
	Mark    Mark      // start, publish: the position to publish
	Entries []Pending // publish: with it, in this order
}

// Answer is the outcome of a request. Err is nil, or one of the errors of Log and Store.
type Answer struct {
	Step     Step
	Position Position // position
	State    State    // claim
	Err      error
}

// Protocol is the exactly-once protocol of one partition as a state machine without clock, chance or I/O: requests out,
// answers in. It decides which request may be made when; docs/exactly-once.md has the rules.
//
//	takeover   init → claim → position → (start) → running
//	running    commit and publish, each at most one in progress, beside each other
//	failure    any unclear or fenced answer ends the ownership: nothing that depends on memory is sent any more. The only
//	           way on is a takeover by a new Protocol, which finds out what was applied.
//
// There is no re-reading of tokens and no resending: after an unclear answer the takeover's init fences everything that
// may still be on its way to Kafka, its claim everything that may still be on its way to Redis.
type Protocol struct {
	id       Identity
	newToken func() Token

	next     Step // next request of the takeover; StepCommit once running
	found    State
	standing *Standing

	token       Token // of the latest commit, applied or in progress
	stored      Meta  // as of the latest applied commit
	mark        Mark  // published
	committing  *commitInFlight
	publishing  *publishInFlight
	outbox      []Pending // applied, not published, oldest first
	unpublished Volume    // of outbox
	dropped     int       // oldest entries in the store that are published and not yet removed
	failed      error
}

type commitInFlight struct {
	commit  *Commit // its memory is the caller's again once it is answered
	entries []Pending
}

type publishInFlight struct {
	mark   Mark
	volume Volume
}

// NewProtocol starts a takeover. newToken returns a fresh random token at each call.
func NewProtocol(id Identity, newToken func() Token) *Protocol {
	return &Protocol{id: id, newToken: newToken}
}

// Takeover returns the next request of the takeover, and false once it is complete or has failed.
func (p *Protocol) Takeover() (Request, bool) {
	if p.failed != nil || p.next == StepCommit {
		return Request{}, false
	}
	r := Request{Step: p.next}
	switch p.next {
	case StepClaim:
		p.token = p.newToken()
		r.Token = p.token
	case StepStart:
		r.Mark = p.mark
	default: // it needs nothing else
	}
	return r, true
}

// Answer takes the outcome of a request. After an error the protocol is over: Failed returns the reason.
func (p *Protocol) Answer(a Answer) {
	if a.Err == nil {
		a.Err = p.accept(a)
	} else {
		if (a.Step == StepInit || a.Step == StepPosition) && errors.Is(a.Err, ErrFenced) {
			a.Err = fmt.Errorf("%w: %w", errLost, a.Err)
		}
		a.Err = fmt.Errorf("%s: %w", a.Step, a.Err)
	}
	switch a.Step {
	case StepCommit:
		p.committing = nil
	case StepPublish:
		p.publishing = nil
	default: // steps of the takeover
	}
	if p.failed == nil {
		p.failed = a.Err
	}
}

func (p *Protocol) accept(a Answer) error {
	switch a.Step {
	case StepInit:
		p.next = StepClaim
	case StepClaim:
		p.found = a.State
		p.next = StepPosition
	case StepPosition:
		return p.reconcile(a.Position)
	case StepStart:
		p.next = StepCommit
	case StepCommit:
		c := p.committing
		p.stored = c.commit.Meta
		p.outbox = append(p.outbox, c.entries...)
		p.unpublished = p.unpublished.plus(volume(c.entries))
		p.dropped -= c.commit.Dropped
		return p.id.Lacks(&p.stored, c.commit.Holds, nil)
	case StepPublish:
		q := p.publishing
		p.mark = q.mark
		p.dropped += q.volume.Entries
		p.outbox = p.outbox[q.volume.Entries:]
		p.unpublished = Volume{p.unpublished.Entries - q.volume.Entries, p.unpublished.Bytes - q.volume.Bytes}
	default:
		return fmt.Errorf("BUG: answer to %s", a.Step)
	}
	return nil
}

func (p *Protocol) reconcile(pos Position) error {
	s, err := Reconcile(p.id, pos, p.found)
	p.found = State{}
	if err != nil {
		return err
	}
	p.standing, p.stored, p.mark, p.outbox, p.dropped = s, s.Meta, s.Mark, slices.Clip(s.Outbox), s.Dropped
	p.Weigh()
	p.next = StepCommit
	if s.Fresh {
		p.next = StepStart
	}
	return nil
}

// Weigh counts what the takeover found in the outbox, once its quarantined records were read again.
func (p *Protocol) Weigh() { p.unpublished = volume(p.outbox) }

// Failed is why the ownership ended; nil while it has not. The owner waits for the answers still to come, and then may
// take over again with a new Protocol.
func (p *Protocol) Failed() error { return p.failed }

// Standing is the result of the takeover; nil before it is complete.
func (p *Protocol) Standing() *Standing { return p.standing }

// CanCommit reports whether Commit may be called.
func (p *Protocol) CanCommit() bool { return p.running() && p.committing == nil }

// Commit completes c with the token chain and the entries to drop, and returns the request that applies it. entries are
// c's outbox; the memory that they alias must not change until they are published.
func (p *Protocol) Commit(c *Commit, entries []Pending) Request {
	if !p.CanCommit() {
		panic("BUG: commit while one is under way")
	}
	c.Previous = p.token
	p.token = p.newToken()
	c.Token = p.token
	c.Dropped = p.dropped
	c.Meta.Holds.Outbox = int64(len(p.outbox) + len(entries))
	p.committing = &commitInFlight{commit: c, entries: entries}
	return Request{Step: StepCommit, Commit: c}
}

// CanPublish reports whether Publish may be called: the position would not move back, and nothing is in progress.
func (p *Protocol) CanPublish() bool {
	return p.running() && p.publishing == nil && !p.Rewinding()
}

// Rewinding reports whether the state is still behind the published position.
func (p *Protocol) Rewinding() bool { return p.mark.behind(&p.stored) }

// Publish gives the request that publishes what was applied, oldest first, within most: a transaction that grows with
// whatever has gathered would on a slow day never end in time. It carries at least what was decided at one record or
// one deadline, which cannot be told apart after a takeover.
func (p *Protocol) Publish(most Volume) Request {
	if !p.CanPublish() {
		panic("BUG: publish while one is under way, or of a position that would move back")
	}
	n, volume := p.within(most)
	q := &publishInFlight{mark: p.mark, volume: volume}
	if n == len(p.outbox) {
		q.mark = wholeMark(&p.stored, p.id.Topic)
	} else {
		for i := range n { // few of them change a mark; see Mark.after
			e := p.outbox[i].position()
			if e.Kind == EntryControl {
				e = MustReadEntry(p.outbox[i].Encoded)
			}
			q.mark = q.mark.after(&e)
		}
		q.mark.Wall = p.stored.WallMillis
	}
	p.publishing = q
	return Request{Step: StepPublish, Mark: q.mark, Entries: p.outbox[:n:n]}
}

// within is how many of the oldest entries a publication takes, and how much they weigh.
func (p *Protocol) within(most Volume) (n int, v Volume) {
	if p.unpublished.within(most) {
		return len(p.outbox), p.unpublished
	}
	var part Volume // of entries behind n that no mark tells from each other
	var reach int64 // the record that all entries so far leave to be folded next
	var before Entry
	for i := range p.outbox {
		e := p.outbox[i].position()
		if i > 0 && e.apart(&before, reach) {
			n, v, part = i, v.plus(part), Volume{}
		}
		part = part.plus(p.outbox[i].size())
		if n > 0 && !v.plus(part).within(most) {
			return n, v
		}
		reach, before = max(reach, e.ends()), e
	}
	return len(p.outbox), p.unpublished
}

// Unpublished is the amount of applied entries that are not yet published.
func (p *Protocol) Unpublished() Volume { return p.unpublished }

// Publishing is how much the publication under way carries.
func (p *Protocol) Publishing() Volume {
	if p.publishing == nil {
		return Volume{}
	}
	return p.publishing.volume
}

// Lagging reports whether the published position is behind the applied one.
func (p *Protocol) Lagging() bool {
	return p.mark.Offset != p.stored.Next || p.mark.Fired != p.stored.Clock.Fired ||
		p.mark.Releases != p.stored.First.Releases
}

// Settled reports whether everything applied is published, the store's outbox is empty, and nothing is in progress.
func (p *Protocol) Settled() bool {
	return p.committing == nil && p.publishing == nil && len(p.outbox) == 0 && p.dropped == 0 && !p.Lagging()
}

// Untidy reports whether the store still holds entries that were published.
func (p *Protocol) Untidy() bool { return p.dropped > 0 }

// Published is the published position.
func (p *Protocol) Published() Mark { return p.mark }

// Stored is where the latest applied commit left the partition.
func (p *Protocol) Stored() *Meta { return &p.stored }

func (p *Protocol) running() bool { return p.failed == nil && p.next == StepCommit }

// Retry decides how an owner handles an error that ended its ownership: stop for good (*HardStop, or fenced when the
// generation is confirmed lost), or take over again.
func Retry(err error) bool {
	var hard *HardStop
	return !errors.As(err, &hard) && !errors.Is(err, errLost)
}

// errLost wraps ErrFenced when a step that confirms the generation was refused: the partition has another owner.
var errLost = errors.New("partition lost")
