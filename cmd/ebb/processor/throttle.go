package processor

import "time"

// throttledEvery is how often the log says that brokers hold requests up.
const throttledEvery = time.Hour

// throttled counts for how long a quota of the brokers held a request up, and says so now and then. Any goroutine may
// call it.
func (p *Processor) throttled(request string, d time.Duration) {
	p.metrics.Throttled(request, d)
	now, last := time.Now().UnixMilli(), p.slowed.Load()
	if now-last < throttledEvery.Milliseconds() || !p.slowed.CompareAndSwap(last, now) {
		return
	}
	p.log.Warn().Str("request", request).Stringer("held_up", d).
		Str("do", "raise the quota of client id ebb, or of its user: kafka-configs.sh --entity-type clients, or users; "+
			"ebb_kafka_throttled_seconds_total counts the time").
		Msg("brokers hold requests up by a quota")
}
