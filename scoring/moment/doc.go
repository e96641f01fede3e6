// Package moment holds units and bounds of event time, which is in ms since the epoch.
package moment
