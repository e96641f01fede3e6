package shop

import "container/heap"

// queue holds all customers and visitors in the order of their next events.
type queue []entry

type entry struct {
	at       int64 // of the customer's next event
	number   int32 // of the customer; at the same time the lower number comes first
	customer *customer
}

// open adds all customers, each with its first visit to come.
func (s *Shop) open() *queue {
	q := make(queue, s.people())
	for i := range q {
		c := s.customer(i)
		q[i] = entry{c.next(), int32(i), c}
	}
	heap.Init(&q)
	return &q
}

// first is the customer with the next event, and the time of that event.
func (q *queue) first() (*customer, int64) { return (*q)[0].customer, (*q)[0].at }

// moved moves the first customer to its new place.
func (q *queue) moved() {
	(*q)[0].at = (*q)[0].customer.next()
	heap.Fix(q, 0)
}

// Len, Less, Swap, Push and Pop are heap.Interface.
func (q *queue) Len() int { return len(*q) }

// Less orders by time, then by customer.
func (q *queue) Less(i, j int) bool {
	a, b := &(*q)[i], &(*q)[j]
	return a.at < b.at || a.at == b.at && a.number < b.number
}

// Swap exchanges two entries.
func (q *queue) Swap(i, j int) { (*q)[i], (*q)[j] = (*q)[j], (*q)[i] }

// Push is never called: the queue holds all customers from the start.
func (q *queue) Push(any) { panic("BUG: push to a queue of all customers") }

// Pop is never called: customers who have left stay at the end.
func (q *queue) Pop() any { panic("BUG: pop from a queue of all customers") }
