// Package shadow compares a shadow's state and alerts with the main group's.
package shadow
