package delivery

import "slices"

// Match is which alerts are delivered: those whose fields have a listed value. An empty list: any value.
type Match struct {
	Kind, Transition, Tier, Tenant, Playbook, Pack []string
}

// said is what decides whether an alert is delivered.
type said struct {
	Kind       string `json:"kind"`
	Transition string `json:"transition"`
	Tier       string `json:"tier"`
	Tenant     string `json:"tenant"`
	Playbook   struct {
		ID string `json:"id"`
	} `json:"playbook"`
	Pack struct {
		Name string `json:"name"`
	} `json:"pack"`
}

// takes reports whether a is to be delivered. Tier and playbook change within an episode and are others, or none, where
// it ends. A receiver that has started something has to learn of the end, so there they are not asked for.
//
// What has no kind is about the customer, and not about one episode: only the tenant is asked for.
func (m *Match) takes(a *Alert) bool {
	if a.said.Kind == "" {
		return among(m.Tenant, a.said.Tenant)
	}
	if !a.ends() && !(among(m.Tier, a.said.Tier) && among(m.Playbook, a.said.Playbook.ID)) {
		return false
	}
	return among(m.Kind, a.said.Kind) && among(m.Transition, a.said.Transition) && among(m.Tenant, a.said.Tenant) &&
		among(m.Pack, a.said.Pack.Name)
}

func among(list []string, value string) bool { return len(list) == 0 || slices.Contains(list, value) }
