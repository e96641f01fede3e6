// Package deliverer is the running member of the group that delivers alerts: clients, lanes, health.
package deliverer
