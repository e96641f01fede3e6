// Package alert is what is published: rendering a decision as JSON with its reasons in words, and explaining an alert
// again from what it carries.
package alert
