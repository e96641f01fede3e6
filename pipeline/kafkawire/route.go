package kafkawire

import (
	"context"
	"fmt"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Route says which broker a request is for.
type Route struct {
	kind      routeKind
	topic     string
	partition int32
	id        string // of a group or a transaction
	node      int32
}

type routeKind uint8

const (
	routeAny routeKind = iota
	routeLeader
	routeGroup
	routeTransaction
	routeNode
	routeController
)

// ToAny routes to whichever broker is at hand.
func ToAny() Route { return Route{kind: routeAny} }

// ToLeader routes to the leader of a partition.
func ToLeader(topic string, partition int32) Route {
	return Route{kind: routeLeader, topic: topic, partition: partition}
}

// ToGroup routes to the coordinator of a consumer group.
func ToGroup(id string) Route { return Route{kind: routeGroup, id: id} }

// ToTransaction routes to the coordinator of a transactional id.
func ToTransaction(id string) Route { return Route{kind: routeTransaction, id: id} }

func toController() Route { return Route{kind: routeController} }

func toNode(id int32) Route { return Route{kind: routeNode, node: id} }

func (r Route) String() string {
	switch r.kind {
	case routeLeader:
		return fmt.Sprintf("leader of %s/%d", r.topic, r.partition)
	case routeGroup:
		return "coordinator of group " + r.id
	case routeTransaction:
		return "coordinator of transactional id " + r.id
	case routeController:
		return "controller"
	case routeNode:
		return fmt.Sprintf("broker %d", r.node)
	default:
		return "any broker"
	}
}

// coordinated reports whether the broker is found with FindCoordinator.
func (r Route) coordinated() bool { return r.kind == routeGroup || r.kind == routeTransaction }

// broker finds the broker in kafka-go's picture of the cluster; id -1 lets kafka-go choose.
func (r Route) broker(c protocol.Cluster) (protocol.Broker, error) {
	id := int32(-1)
	switch r.kind {
	case routeLeader:
		t := c.Topics[r.topic]
		if t.Error != 0 { // as of one that was deleted
			return protocol.Broker{}, Error(t.Error)
		}
		p, ok := t.Partitions[r.partition]
		if !ok || p.Leader < 0 {
			return protocol.Broker{}, LeaderNotAvailable
		}
		id = p.Leader
	case routeController:
		id = c.Controller
	case routeNode:
		id = r.node
	default:
		return protocol.Broker{ID: -1}, nil
	}
	b, ok := c.Brokers[id]
	if !ok {
		return protocol.Broker{}, BrokerNotAvailable
	}
	return b, nil
}

// resolve turns the route to a coordinator into one to the broker that is known, or now found, to be it.
func (c *Client) resolve(ctx context.Context, to Route) (Route, error) {
	if !to.coordinated() {
		return to, nil
	}
	c.mu.Lock()
	id, ok := c.coordinators[to]
	c.mu.Unlock()
	if ok {
		return toNode(id), nil
	}
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.CoordinatorKey = to.id
	if to.kind == routeTransaction {
		req.CoordinatorType = 1
	}
	answer, err := c.Request(ctx, ToAny(), req)
	if err != nil {
		return to, fmt.Errorf("find %s: %w", to, err)
	}
	found := answer.(*kmsg.FindCoordinatorResponse)
	if found.ErrorCode != 0 {
		return to, fmt.Errorf("find %s: %w", to, Error(found.ErrorCode))
	}
	c.mu.Lock()
	c.coordinators[to] = found.NodeID
	c.mu.Unlock()
	return toNode(found.NodeID), nil
}

// forget makes the next request look for the coordinator anew.
func (c *Client) forget(to Route) {
	c.mu.Lock()
	delete(c.coordinators, to)
	c.mu.Unlock()
}
