package connect

import (
	"fmt"
	"os"
	"path/filepath"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/pipeline/kafkasource"
)

// Instance is the id under which this process joins a group: the configured one, or the host's name and the number of a
// slot, which the caller releases at the end; nil: there is none.
func Instance(cfg *config.Config, group string) (id string, slot *kafkasource.Slot, err error) {
	if cfg.Kafka.InstanceID != "" {
		return cfg.Kafka.InstanceID, nil, nil
	}
	host, err := os.Hostname()
	if err != nil {
		return "", nil, advice.Add(fmt.Errorf("find the host's name: %w", err), "set kafka.instance_id")
	}
	slots := filepath.Join(os.TempDir(), fmt.Sprintf("ebb-instances-%d", os.Getuid()))
	if slot, err = kafkasource.TakeSlot(slots, host, group); err != nil {
		return "", nil, advice.Add(err, "set kafka.instance_id")
	}
	return slot.Instance(), slot, nil
}
