package shop

import "container/heap"

// queue holds all customers and visitors in the order of their next events. Those who have not come yet, and those who
// come no more, take up next to no memory.
type queue struct {
	shop *Shop
	all  []entry
}

type entry struct {
	at       int64     // of the customer's next event
	number   int32     // of the customer; at the same time the lower number comes first
	customer *customer // nil: has not come yet, or comes no more
}

// open adds everybody, each with the first visit to come.
func (s *Shop) open() *queue {
	q := &queue{s, make([]entry, s.people())}
	for i := range q.all {
		q.all[i] = entry{at: s.customer(i).visit, number: int32(i)}
	}
	heap.Init(q)
	return q
}

// first is the time of the next event.
func (q *queue) first() int64 { return q.all[0].at }

// customer is the one with the next event.
func (q *queue) customer() *customer {
	e := &q.all[0]
	if e.customer == nil {
		e.customer = q.shop.customer(int(e.number))
		e.customer.next()
	}
	return e.customer
}

// moved moves the first customer to its new place.
func (q *queue) moved() {
	e := &q.all[0]
	if e.at = e.customer.next(); e.at == never {
		e.customer = nil
	}
	heap.Fix(q, 0)
}

// Len, Less, Swap, Push and Pop are heap.Interface.
func (q *queue) Len() int { return len(q.all) }

// Less orders by time, then by customer.
func (q *queue) Less(i, j int) bool {
	a, b := &q.all[i], &q.all[j]
	return a.at < b.at || a.at == b.at && a.number < b.number
}

// Swap exchanges two entries.
func (q *queue) Swap(i, j int) { q.all[i], q.all[j] = q.all[j], q.all[i] }

// Push is never called: the queue holds everybody from the start.
func (q *queue) Push(any) { panic("BUG: push to a queue of all customers") }

// Pop is never called: customers who have left stay at the end.
func (q *queue) Pop() any { panic("BUG: pop from a queue of all customers") }
