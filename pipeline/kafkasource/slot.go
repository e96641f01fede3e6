package kafkasource

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// maxSlots bounds how many processes of one group can run on a host under default instance ids.
const maxSlots = 1024

// Slot is the lowest number that no other process of the group on this host holds. The system releases it when the
// process ends, however it ends, so that a killed process gets the same number again at once.
type Slot struct {
	host   string
	number int
	lock   *flock.Flock
}

// TakeSlot takes a slot by locking a file in dir, which all processes of the host must share. Errors: dir cannot be
// written, or all slots are taken.
func TakeSlot(dir, host, group string) (*Slot, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("take slot: %w", err)
	}
	name := sha256.Sum256([]byte(group)) // a group's name may contain any character
	for n := range maxSlots {
		lock := flock.New(filepath.Join(dir, fmt.Sprintf("ebb-%x-%d.lock", name[:6], n)))
		ok, err := lock.TryLock()
		if err != nil {
			return nil, fmt.Errorf("take slot: %w", err)
		}
		if ok {
			return &Slot{host: host, number: n, lock: lock}, nil
		}
	}
	return nil, fmt.Errorf("take slot: all %d slots of group %s on this host are taken", maxSlots, group)
}

// Instance is the instance id of the slot.
func (s *Slot) Instance() string { return fmt.Sprintf("%s-%d", s.host, s.number) }

// Release releases the slot.
func (s *Slot) Release() error {
	if err := s.lock.Unlock(); err != nil {
		return fmt.Errorf("release slot %d: %w", s.number, err)
	}
	return nil
}
