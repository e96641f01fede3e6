// Package sources tells a source of events that has fallen silent from customers who have. It learns how many events
// each source sends in each hour of the week, judges whether it still does, and adds up the time in which it did not:
// in that time nobody could be seen, so the silence of the source's customers does not count. docs/adr/0029.
//
// Everything is a function of the events, of the watermark at which each arrives, and of nothing else.
package sources
