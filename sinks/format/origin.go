package format

import "ebb/pipeline/kafkabatch"

// Origin is the id and the source of an alert, by its record's headers, in their memory; empty where they do not say.
func Origin(headers []byte) (id, source []byte) {
	for key, value := range kafkabatch.Headers(headers) {
		switch string(key) {
		case "ce_id":
			id = value
		case "ce_source":
			source = value
		}
	}
	return id, source
}
