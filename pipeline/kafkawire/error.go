package kafkawire

import (
	"errors"
	"fmt"
	"strings"

	"github.com/segmentio/kafka-go"

	"ebb/pipeline"
)

// Error is the code by which a broker refuses a request. Compare with errors.Is, either with a code below or with the
// class it belongs to: pipeline.ErrFenced, pipeline.ErrOutOfRange, and pipeline.ErrUnavailable for all others.
type Error int16

// Codes that are told apart.
const (
	OffsetOutOfRange        Error = 1
	CorruptMessage          Error = 2
	UnknownTopicOrPartition Error = 3
	LeaderNotAvailable      Error = 5
	NotLeader               Error = 6
	RequestTimedOut         Error = 7
	BrokerNotAvailable      Error = 8
	ReplicaNotAvailable     Error = 9
	MessageTooLarge         Error = 10
	OffsetMetadataTooLarge  Error = 12
	CoordinatorLoading      Error = 14
	CoordinatorNotAvailable Error = 15
	NotCoordinator          Error = 16
	RecordListTooLarge      Error = 18
	NotEnoughReplicas       Error = 19
	NotEnoughAfterAppend    Error = 20
	IllegalGeneration       Error = 22
	InconsistentProtocol    Error = 23
	InvalidGroupID          Error = 24
	UnknownMember           Error = 25
	InvalidSessionTimeout   Error = 26
	RebalanceInProgress     Error = 27
	TopicDenied             Error = 29
	GroupDenied             Error = 30
	ClusterDenied           Error = 31
	InvalidTimestamp        Error = 32
	UnsupportedMechanism    Error = 33
	IllegalSASLState        Error = 34
	UnsupportedVersion      Error = 35
	TopicExists             Error = 36
	NotController           Error = 41
	UnsupportedFormat       Error = 43 // of a topic's messages, from before Kafka 0.11
	PolicyViolation         Error = 44
	OutOfOrderSequence      Error = 45
	DuplicateSequence       Error = 46
	InvalidProducerEpoch    Error = 47
	InvalidTxnState         Error = 48
	InvalidTxnTimeout       Error = 50
	ConcurrentTransactions  Error = 51
	TransactionDenied       Error = 53
	StorageError            Error = 56
	AuthenticationFailed    Error = 58
	GroupIDNotFound         Error = 69
	FencedLeaderEpoch       Error = 74
	UnknownLeaderEpoch      Error = 75
	OffsetNotAvailable      Error = 78 // the leader is new, and has not heard yet how far the others are
	MemberIDRequired        Error = 79
	GroupFull               Error = 81 // group.max.size
	FencedInstance          Error = 82
	GroupSubscribed         Error = 86
	InvalidRecord           Error = 87
	UnstableOffsetCommit    Error = 88
	ThrottlingQuotaExceeded Error = 89
	ProducerFenced          Error = 90
	TransactionAbortable    Error = 120
)

// Error names the code and says what it means.
func (e Error) Error() string {
	if e == TransactionAbortable {
		return "transaction abortable (120): the transaction can only be aborted"
	}
	title, meaning := kafka.Error(e).Title(), kafka.Error(e).Description()
	if title == "" {
		return fmt.Sprintf("kafka error %d", int16(e))
	}
	return fmt.Sprintf("%s (%d): %s", strings.ToLower(title), int16(e), meaning)
}

// Is reports whether target is the class of e.
func (e Error) Is(target error) bool {
	switch e {
	case IllegalGeneration, UnknownMember, RebalanceInProgress, FencedInstance, InvalidProducerEpoch, ProducerFenced:
		return target == pipeline.ErrFenced
	case OffsetOutOfRange:
		return target == pipeline.ErrOutOfRange
	default:
		return target == pipeline.ErrUnavailable
	}
}

// comeAgain reports whether e refuses a request for reasons that pass: nothing was done, and the same request may be
// sent again.
func (e Error) comeAgain() bool {
	switch e {
	case UnknownTopicOrPartition, LeaderNotAvailable, NotLeader, BrokerNotAvailable, ReplicaNotAvailable,
		CoordinatorLoading, CoordinatorNotAvailable, NotCoordinator, NotEnoughReplicas, NotController, ConcurrentTransactions,
		StorageError, FencedLeaderEpoch, UnknownLeaderEpoch, OffsetNotAvailable, UnstableOffsetCommit, ThrottlingQuotaExceeded:
		return true
	default:
		return false
	}
}

// asError is nil for code 0.
func asError(code int16) error {
	if code == 0 {
		return nil
	}
	return Error(code)
}

// unavailable puts err, which came from a connection, into its class.
func unavailable(err error) error {
	var code Error
	if errors.As(err, &code) || errors.Is(err, pipeline.ErrUnavailable) {
		return err
	}
	var theirs kafka.Error
	if errors.As(err, &theirs) && theirs == kafka.BrokerNotAvailable {
		return BrokerNotAvailable
	}
	return fmt.Errorf("%w: %w", pipeline.ErrUnavailable, err)
}
