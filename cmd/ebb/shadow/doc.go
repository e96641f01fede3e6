// Package shadow compares what a shadow holds and would have alerted with the main group.
package shadow
