package config

import (
	"os"
	"strings"
	"testing"
)

// TestControlHasTheGroupsName: groups do not share the topic unless they say so, and whatever a group is called, its
// topic can exist. What stood in the shared one is still found.
func TestControlHasTheGroupsName(t *testing.T) {
	long := strings.Repeat("+", 200)
	for _, c := range []struct {
		group, control string
		want, old      string
	}{
		{group: "ebb", want: "ebb.control"},
		{group: "shop", want: "shop.control", old: "ebb.control"},
		{group: "shop", control: "ebb.control", want: "ebb.control"},
		{group: "shop", control: "shop.control", want: "shop.control", old: "ebb.control"},
		{group: "shop", control: "mine", want: "mine"},
		{group: "shop/1", want: "shop_2f1.control", old: "ebb.control"},
		{group: "a.b-c_d", want: "a.b-c_d.control", old: "ebb.control"},
		{group: long, old: "ebb.control"},
	} {
		env := []string{"EBB_KAFKA_GROUP=" + c.group}
		if c.control != "" {
			env = append(env, "EBB_KAFKA_CONTROL="+c.control)
		}
		got, err := Load("", env, os.ReadFile)
		if err != nil {
			t.Errorf("group %s: %v", c.group, err)
			continue
		}
		k := &got.Kafka
		if c.want != "" && k.Control != c.want || k.OldControl != c.old || !LegalTopic(k.Control, MaxTopic) {
			t.Errorf("group %s, control %q: %q and before %q", c.group, c.control, k.Control, k.OldControl)
		}
		if shadow := got.Shadow("x"); shadow.Kafka.Control != k.Control || shadow.Kafka.OldControl != k.OldControl {
			t.Errorf("group %s: its shadow has %q and %q", c.group, shadow.Kafka.Control, shadow.Kafka.OldControl)
		}
	}
}
