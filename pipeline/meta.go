package pipeline

import (
	"time"
)

// Complete fills in what a commit's meta says besides what the line decided.
func (m *Meta) Complete(id Identity, now time.Time) {
	m.Version, m.Partitions, m.Cluster, m.Topic = MetaVersion, id.Partitions, id.Cluster, id.Topic
	m.WallMillis = now.UnixMilli()
}
