package profile

import (
	"fmt"
)

// Versions of the profile's layout. A build reads both and writes the one that every member of its group reads: the
// newest, or in a rolling upgrade the one before (DESIGN section 5).
const (
	OldestVersion = 2 // nothing of a pack's kinds, stages and features, and no probe: a build that writes it knows no such pack
	NewestVersion = 3
)

// olderFlags are the parts that the older version has. What it has is laid out alike.
const olderFlags = hasActivity | hasGaps | hasFriction | hasEpisode

// AppendAs is Append in an older version of the layout too, without what that has no place for.
func AppendAs(version int, dst []byte, c *Customer) []byte {
	switch version {
	case NewestVersion:
		return Append(dst, c)
	case OldestVersion:
		core := *c.Profile
		core.Triggered, core.Touched, core.Back, core.Onboarded, core.Generation, core.Probe = [numTriggered]Triggered{}, 0, 0, false, 0, Probe{}
		n := len(dst)
		dst = Append(dst, &Customer{Profile: &core})
		dst[n] = OldestVersion
		return dst
	default:
		panic(fmt.Sprintf("BUG: profile of version %d", version))
	}
}
