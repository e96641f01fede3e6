// Package oracle says what alerts a log must raise, by brute force: it decodes with encoding/json, keeps every customer
// in a map, looks at each silent hour and then at each minute, and knows nothing of batches, stores, commits or
// restarts.
//
// It judges ebb and therefore shares nothing with it: it imports the standard library only, and is written from the
// specification, not from the code it judges. Only tests import it.
package oracle
