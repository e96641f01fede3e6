package kafkasource

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ebb/pipeline/kafkawire"
)

// place is what a member knows of the others under its instance id. Nobody can tell a living member from one whose
// session has not ended yet; a living one that was replaced takes its place back at once.
type place struct {
	ids       map[string]bool // that this process has had in the group
	looked    bool            // before the first join
	found     bool            // then another process was there
	admitted  time.Time       // when the group first admitted this process; zero: never
	fenced    bool            // another may have the place
	reclaimed time.Time       // when it was last taken back; zero: never
}

// reclaimAgain is the number of sessions within which a member does not take its place back twice.
const reclaimAgain = 5

// yields reports whether this process is the later one of two under one instance id: the other was there before, and
// has taken its place back within a session. Of two that began together the one yields that would be the second to do
// so.
func (p *place) yields(session time.Duration) bool {
	later := p.found && (p.admitted.IsZero() || time.Since(p.admitted) < session)
	return later || !p.reclaimed.IsZero() && time.Since(p.reclaimed) < reclaimAgain*session
}

// holdEvery is how often a member that waits for its place looks whether it is free.
const holdEvery = 250 * time.Millisecond

// awaitPlace waits, once the group has fenced the member, while another process has its instance id and this one is the
// later of the two. It joins when the other has left or its session has ended. A coordinator that has lost what it knew
// also fences members that nobody has replaced: then it has one of this process's own ids, or that of a dead process,
// whose session ends.
func (m *Member) awaitPlace(ctx context.Context) error {
	p := &m.place
	if !p.looked {
		holder, err := m.holder(ctx)
		p.looked, p.found = true, err == nil && holder != nil
	}
	for yields := false; p.fenced; {
		yields = yields || p.yields(m.cfg.Session) // as of the fencing
		holder, err := m.holder(ctx)
		switch {
		case err != nil: // the attempt to join finds what is wrong
			return nil //nolint:nilerr // and says it
		case holder == nil:
			p.fenced, p.found, p.reclaimed = false, false, time.Time{}
			m.wait(nil)
			return nil
		case !yields:
			p.fenced, p.reclaimed = false, time.Now()
			m.cfg.Logger.Warn().Str("group", m.cfg.Group).Str("instance", m.cfg.Instance).
				Msg("another process has joined under this instance id, or the coordinator has lost what it knew; joining anew")
			return nil
		}
		m.sayTaken(holder)
		select {
		case <-time.After(holdEvery):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// holder is another process's member under this one's instance id; nil: there is none.
func (m *Member) holder(ctx context.Context) (*kafkawire.GroupMember, error) {
	g, err := m.cfg.Client.DescribeGroup(ctx, m.cfg.Group)
	if err != nil {
		return nil, err
	}
	for i := range g.Members {
		if one := &g.Members[i]; one.Instance == m.cfg.Instance && !m.place.ids[one.ID] {
			return one, nil
		}
	}
	return nil, nil //nolint:nilnil // there is none
}

// kindTaken is the code of a member that waits for its place.
const kindTaken = "instance_id_taken"

// sayTaken logs once that another process has the place.
func (m *Member) sayTaken(holder *kafkawire.GroupMember) {
	m.wait(fmt.Errorf("another process (client %s at %s) is a member of group %s under the instance id %s (%s)",
		holder.Client, holder.Host, m.cfg.Group, m.cfg.Instance, kindTaken))
	if m.said == kindTaken {
		return
	}
	m.said = kindTaken
	m.cfg.Logger.Warn().Str("code", kindTaken).Str("group", m.cfg.Group).Str("instance", m.cfg.Instance).
		Str("found", m.Waits()).
		Str("do", "give each process its own kafka.instance_id, or leave the key out; this one joins when the other has left").
		Msg("another process has this instance id; waiting for it to leave")
}

// wait notes what the member waits for; nil: nothing.
func (m *Member) wait(err error) {
	why := ""
	if err != nil && !errors.Is(err, context.Canceled) {
		why = err.Error()
	}
	m.waits.Store(&why)
}
