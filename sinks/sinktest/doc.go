// Package sinktest is the suite that every destination of alerts passes: order for each customer, one effect for each
// id, stall and resume, kill and restart, and dead letters only for what has expired.
package sinktest
