package redisstore_test

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"ebb/pipeline/redisstore"
)

func TestProfiles(t *testing.T) { profiles(t, miniredis.RunT(t).Addr()) }

// profiles reads those of one partition of one group, some at a time, each at least once and no others.
func profiles(t *testing.T, addr string) {
	client, group := open(t, addr), newGroup(t, addr)
	direct := redis.NewClient(&redis.Options{Addr: addr})
	t.Cleanup(func() { _ = direct.Close() })
	want := map[string]string{}
	for i := range 5000 {
		want[fmt.Sprintf("customer %d", i)] = fmt.Sprintf("profile %d \x00\xff", i)
	}
	for _, of := range []struct {
		tag  string
		held map[string]string
	}{
		{group + ":p1", want},
		{group + ":p2", map[string]string{"customer 1": "other"}},
		{group + "2:p1", map[string]string{"customer 1": "another"}},
	} {
		if err := direct.HSet(t.Context(), "ebb:{"+url.PathEscape(of.tag)+"}:profiles", of.held).Err(); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { must(client.Empty(context.WithoutCancel(t.Context()), group+"2", 1))(t) })
	got := map[string]string{}
	err := client.EachProfile(t.Context(), group, 1, func(keys, profiles []string) error {
		for i := range keys {
			got[keys[i]] = profiles[i]
		}
		return nil
	})
	if err != nil || !maps.Equal(want, got) {
		t.Fatalf("%v: %d of %d profiles, or others", err, len(got), len(want))
	}
	if n, err := client.Customers(t.Context(), group, 1); n != 5000 || err != nil {
		t.Errorf("%d customers, %v", n, err)
	}
	if n, err := client.Customers(t.Context(), group, 7); n != 0 || err != nil {
		t.Errorf("%d customers of a partition that is not there, %v", n, err)
	}
	some, err := client.ProfilesOf(t.Context(), group, 1, []string{"customer 7", "nobody", "customer 4999"})
	if diff := cmp.Diff([]string{want["customer 7"], "", want["customer 4999"]}, some); err != nil || diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
	if err := client.EachProfile(
		t.Context(),
		group,
		1,
		func([]string, []string) error { return context.Canceled },
	); err != context.Canceled { //nolint:errorlint // unwrapped
		t.Errorf("take's error became %v", err)
	}
}

// TestGroups: groups that hold anything are found by the beginning of their names, whatever characters that has.
func TestGroups(t *testing.T) {
	server := miniredis.RunT(t)
	client := must(redisstore.Open(t.Context(), redisstore.Config{Addresses: []string{server.Addr()}}))(t)
	defer client.Close()
	for _, key := range []string{
		"ebb:{a.shadow.x:p0}:meta", "ebb:{a.shadow.x:p11}:due:-7", "ebb:{a.shadow.y:p1:p0}:packs", "ebb:{a:p0}:meta", "ebb:{b.shadow.x:p0}:meta",
		"ebb:{a.shadow.z:q0}:meta", "ebb:{a.shadow.z:p0:meta", "ebb:{a.shadow.z:p01}:meta", "ebb:{axshadow.x:p0}:meta", "a.shadow.x", "ebb:{a*shadow.w:p0}:meta", "ebb:{a%2Ashadow.v:p0}:meta",
	} {
		must(0, server.Set(key, "any"))(t)
	}
	for prefix, want := range map[string][]string{
		"a.shadow.": {"a.shadow.x", "a.shadow.y:p1"},
		"a*":        {"a*shadow.v"},
		"c":         nil,
	} {
		if got, err := client.Groups(t.Context(), prefix); err != nil || !cmp.Equal(want, got) {
			t.Errorf("%q: %q, %v, want %q", prefix, got, err, want)
		}
	}
}
