// Package inspect reads what a group keeps of a customer, and recomputes alerts from their own content.
package inspect
