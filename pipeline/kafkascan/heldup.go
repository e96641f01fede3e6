package kafkascan

import (
	"fmt"

	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
)

// HeldUpError means that a scan has not reached its end within its patience, although brokers answered.
type HeldUpError struct {
	Topic     string
	Partition int32
	Next      int64  // the next offset of the scan
	Open      bool   // behind an open transaction; otherwise brokers hold less than the end they named
	From      int64  // where that transaction begins
	Brokers   string // that were asked
}

func (e *HeldUpError) Error() string {
	if !e.Open {
		return fmt.Sprintf("records of %s/%d from %d on were in the log when the reading began, and no broker gives them",
			e.Topic, e.Partition, e.Next)
	}
	return fmt.Sprintf(
		"records of %s/%d from %d on are held up by a producer's open transaction, which begins at offset %d",
		e.Topic,
		e.Partition,
		e.Next,
		e.From,
	)
}

// As makes it a *pipeline.Unready where a transaction is open: that ends by itself, or somebody ends it.
func (e *HeldUpError) As(target any) bool {
	unready, ok := target.(**pipeline.Unready)
	if !ok || !e.Open {
		return false
	}
	*unready = &pipeline.Unready{
		Code:   kafkawire.CodeTransactionOpen,
		Detail: e.Error(),
		Do:     kafkawire.EndTransaction(e.Brokers, e.Topic, e.Partition, e.From),
	}
	return true
}
