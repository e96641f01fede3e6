package redisstore_test

import (
	"errors"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"ebb/pipeline"
	"ebb/pipeline/redisstore"
)

// TestAsked: what is asked stays until the commit that has done it, and one that is refused does not remove it. What is
// held is shown to whoever asks.
func TestAsked(t *testing.T) {
	addr := miniredis.RunT(t).Addr()
	client, group, ctx := open(t, addr), newGroup(t, addr), t.Context()
	asked := func() (ids []string) {
		t.Helper()
		if err := client.Asked(ctx, group, 3, func(id string, value []byte) {
			a, err := pipeline.ReadAsked(id, value)
			if err != nil || a.By != "ann" {
				t.Errorf("%+v, %v", a, err)
			}
			ids = append(ids, id)
		}); err != nil {
			t.Fatal(err)
		}
		return ids
	}
	if got := asked(); len(got) != 0 {
		t.Errorf("before anybody asks: %q", got)
	}
	for _, id := range []string{"a", "b"} {
		a := &pipeline.Asked{ID: id, Kind: pipeline.AskRelease, Reason: "storm", By: "ann"}
		if err := client.Ask(ctx, group, 3, a); err != nil {
			t.Fatal(err)
		}
	}
	p, first, second := client.Partition(group, 3), redisstore.NewToken(), redisstore.NewToken()
	closeLater(t, p)
	if _, err := p.Claim(ctx, first); err != nil {
		t.Fatal(err)
	}
	raise := pipeline.HeldEntry{
		Key:   []byte("\x00c\x00"),
		Value: pipeline.AppendHeld(nil, pipeline.Held{Reason: pipeline.HeldStorm}),
	}
	if err := p.Commit(ctx, &pipeline.Commit{
		Previous: first, Token: second, Meta: pipeline.Meta{Version: pipeline.MetaVersion}, Answered: []string{"a"},
		Held: []pipeline.HeldEntry{raise},
	}); err != nil {
		t.Fatal(err)
	}
	if got := asked(); len(got) != 1 || got[0] != "b" {
		t.Errorf("a is done, and %q are left", got)
	}
	held := 0
	if err := client.Raises(ctx, group, 3, func(e pipeline.HeldEntry) {
		if h, err := pipeline.ReadHeld(e); err != nil || h.Reason != pipeline.HeldStorm {
			t.Errorf("%+v, %v", h, err)
		}
		held++
	}); err != nil || held != 1 {
		t.Errorf("%d held, %v", held, err)
	}
	late := &pipeline.Commit{
		Previous: redisstore.NewToken(), Token: redisstore.NewToken(), Meta: pipeline.Meta{Version: pipeline.MetaVersion},
		Answered: []string{"b"},
	}
	if err := p.Commit(ctx, late); !errors.Is(err, pipeline.ErrFenced) || len(asked()) != 1 {
		t.Errorf("%v, %q are left", err, asked())
	}
}
