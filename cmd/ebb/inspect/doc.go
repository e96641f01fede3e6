// Package inspect reads what a group keeps of a customer, and recomputes alerts from what they carry.
package inspect
