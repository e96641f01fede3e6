package format

import (
	"bytes"
	"encoding/json"
	"net/url"
	"time"

	"ebb/pipeline"
	"ebb/scoring/alert"
)

// Audience is the value of a record that says which arm of a holdout a customer belongs to. Its fields are a contract:
// new ones are added, existing ones never change.
type Audience struct {
	Tenant   string      `json:"tenant"`
	Customer string      `json:"customer"`
	Arm      string      `json:"arm"`
	Epoch    uint32      `json:"epoch"`
	Share    json.Number `json:"share"` // of the held-out arm
	Until    time.Time   `json:"until"` // end of the epoch, in event time: then the arm is drawn anew
}

// audience makes the record of a customer's arm. The topic is compacted: each customer's newest arm stands there, and
// none of a customer who is gone.
func (r *Renderer) audience(e *pipeline.Entry) pipeline.Outgoing {
	out := pipeline.Outgoing{
		Topic: r.Audience, Partition: -1, Key: AudienceKey(e.Alert.Tenant, e.Alert.Customer), Timestamp: asOfNow,
	}
	arm := &e.Alert.Assigned
	if arm.Arm == alert.NoArm {
		return out
	}
	value, err := json.Marshal(Audience{
		Tenant: string(e.Alert.Tenant), Customer: string(e.Alert.Customer), Arm: arm.Arm.String(), Epoch: arm.Epoch,
		Share: json.Number(arm.AppendShare(nil)), Until: time.UnixMilli(e.Until).UTC(),
	})
	if err != nil {
		panic("BUG: an arm is plain texts and numbers: " + err.Error())
	}
	out.Value = value
	return out
}

// AudienceKey is the key of a customer's arm: the customer, as alerts have it, with an escaped tenant and a slash before
// it. Both are left out where there is no tenant, and no slash in the customer. No two customers share a key.
func AudienceKey(tenant, customer []byte) []byte {
	if len(tenant) == 0 && !bytes.ContainsRune(customer, '/') {
		return customer
	}
	return append(append([]byte(url.PathEscape(string(tenant))), '/'), customer...)
}
