package redisstore_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
)

// TestShare: what one partition shares, the others read; each group, and each life of its topic, has its own. It is no partition.
func TestShare(t *testing.T) {
	server := miniredis.RunT(t)
	client, group, ctx := open(t, server.Addr()), newGroup(t, server.Addr()), t.Context()
	share := func(group, topic string, put map[string][]byte, want string) map[string][]byte {
		t.Helper()
		found, err := client.Share(ctx, group, topic, put, want)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	share(group, "t", map[string][]byte{"a": []byte("1"), "b": []byte("2")}, "b")
	all := map[string][]byte{"a": []byte("1"), "b": []byte("3"), "c": {}}
	if diff := cmp.Diff(all, share(group, "t", map[string][]byte{"b": []byte("3"), "c": nil}, "")); diff != "" {
		t.Errorf("all:\n%s", diff)
	}
	for name, found := range map[string]map[string][]byte{
		"a field that is not there": share(group, "t", nil, "d"),
		"another topic":             share(group, "u", nil, "a"),
		"another group":             share(group+"}", "t", nil, ""),
	} {
		if len(found) > 0 {
			t.Errorf("%s: %q", name, found)
		}
	}
	for _, key := range server.Keys() {
		if !strings.HasPrefix(key, "ebb:{"+url.PathEscape(group)+":p") &&
			!strings.HasPrefix(key, "ebb:{"+url.PathEscape(group+"}")+":p") {
			t.Errorf("the key %q is not among those that ebb may use", key)
		}
	}
	if groups, err := client.Groups(ctx, group); err != nil || len(groups) > 0 {
		t.Errorf("groups with state: %q, %v", groups, err)
	}
	if n, err := client.Empty(ctx, group, 4); err != nil || n > 0 {
		t.Errorf("%d partitions removed, %v", n, err)
	}
}
