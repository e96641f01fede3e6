package kafkawire

import (
	"ebb/pipeline"
	"ebb/pipeline/secure"
)

// advice is what a code means to a person: a stable code of ours and what to do.
type advice struct{ code, do string }

// As makes a missing permission a *pipeline.Denied: brokers answer, and an administrator has to let us. What passes, or
// is mended at the brokers, is a *pipeline.Unready, and what only another setting mends a *pipeline.HardStop.
func (e Error) As(target any) bool {
	switch target := target.(type) {
	case **pipeline.Denied:
		do, ok := denials()[e]
		if ok {
			*target = &pipeline.Denied{Code: secure.CodePermission, Detail: e.detail(), Do: do + " (docs/security.md)"}
		}
		return ok
	case **pipeline.Unready:
		a, ok := passing()[e]
		if ok {
			*target = &pipeline.Unready{Code: a.code, Detail: e.detail(), Do: a.do}
		}
		return ok
	case **pipeline.HardStop:
		stop := e.lasting()
		if stop != nil {
			*target = stop
		}
		return stop != nil
	}
	return false
}

// CodeTopicMissing is the code of a topic that is not there; docs/runbook.md explains it.
const CodeTopicMissing = "topic_missing"

func (e Error) detail() string { return "Kafka refuses: " + e.Error() }

func denials() map[Error]string {
	return map[Error]string{
		TopicDenied:       "allow ebb's user to READ the input topic, and to WRITE the alert topic and the DLQ",
		GroupDenied:       "allow ebb's user to READ the consumer group (kafka.group)",
		ClusterDenied:     "allow ebb's user to CREATE topics, or create them yourself",
		TransactionDenied: "allow ebb's user to WRITE transactional ids that begin with ebb/, kafka.group and a slash",
	}
}

// passing are refusals that end once something outside of the program has changed.
func passing() map[Error]advice {
	return map[Error]advice{
		UnknownTopicOrPartition: {CodeTopicMissing, "create what is missing: ebb check --create"},
		GroupFull: {
			"group_full", "raise group.max.size of the brokers, or stop members; this one joins once there is room",
		},
		UnstableOffsetCommit: {
			CodeTransactionOpen, "a transaction that moves the group's offset is open: ebb check says whose, and how to end it",
		},
		NotEnoughReplicas:    tooFewReplicas,
		NotEnoughAfterAppend: tooFewReplicas,
		PolicyViolation:      {"policy_refused", "a policy of the brokers forbids it: ask whoever runs them"},
	}
}

var tooFewReplicas = advice{ //nolint:gochecknoglobals // of two codes
	"too_few_replicas", "bring back the brokers that hold the other replicas, or lower min.insync.replicas of the topic",
}

// lasting is the stop of a refusal that no repetition ends; nil: e is none.
func (e Error) lasting() *pipeline.HardStop {
	switch e {
	case InvalidTxnTimeout:
		return &pipeline.HardStop{
			Code: "transaction_timeout_refused", Detail: e.detail(),
			Do: "lower kafka.transaction_timeout (and kafka.session_timeout, which is shorter), or raise " +
				"transaction.max.timeout.ms of the brokers",
		}
	case InvalidGroupID:
		return &pipeline.HardStop{
			Code: "group_id_refused", Detail: e.detail(), Do: "give ebb a kafka.group that the brokers take",
		}
	case UnsupportedFormat:
		return &pipeline.HardStop{
			Code: "old_message_format", Detail: e.detail(),
			Do: "a topic holds messages in a format from before Kafka 0.11: remove message.format.version from it, or copy " +
				"it to a new topic with a current client",
		}
	case OffsetMetadataTooLarge:
		return &pipeline.HardStop{
			Code: "offset_metadata_refused", Detail: e.detail(),
			Do: "raise offset.metadata.max.bytes of the brokers to its default of 4096: ebb keeps the published position there",
		}
	default:
		return nil
	}
}
