// Package oracle determines by brute force which alerts a log must raise. It decodes with encoding/json, keeps every
// customer in a map, and looks at each silent hour and then at each minute. It has no batches, stores, commits or
// restarts.
//
// It checks ebb and therefore shares nothing with it: it imports the standard library only, and is written from the
// specification, not from ebb's code. Only tests import it.
package oracle
