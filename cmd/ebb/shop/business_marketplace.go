package shop

// marketplace is the side of a marketplace that buys. Guests look through listings.
func marketplace() *business {
	const (
		searched what = iota
		searchedInVain
		viewed
		saved
		searchSaved
		recommended
		contacted
		offered
		ordered
		rated
		cancelledBySeller
		refunded
		disputed
		settled
		fraud
		cleared
		ticketOpened
		ticketSolved
		failed
		failedFinally
		scored
		verified
		posted
		referred
		attended
		gift
		emailed
		clicked
		unsubscribed
		cancelling
		cancelled
		withdrawn
	)
	channel := property{name: "channel", values: []string{`"web"`, `"app"`, `"app"`, `"mail"`}}
	results := property{name: "results", values: []string{"12", "40", "3", "88", "7", "150", "25"}}
	nearby := property{name: "nearby", own: true, values: []string{"40", "120", "65", "8", "30", "210", "90", "55", "17"}}
	seller, ticket := property{name: "seller_id", prefix: "s-"}, []property{{name: "ticket_id", prefix: "t-"}}
	invoice := property{name: "invoice_id", prefix: "inv-"}
	return &business{
		name: "marketplace", title: "marketplace, the side that buys",
		worth: Worth{High: 500_00, Mid: 100_00, Days: 365, Per: "a year"},
		joins: []what{ordered}, pays: []what{ordered},
		events: []event{
			searched: {name: "Listings Searched", draws: 9000, about: []property{results, nearby, channel}},
			searchedInVain: {
				name:  "Listings Searched",
				draws: 9000,
				about: []property{{name: "results", values: []string{"0"}}, nearby, channel},
			},
			viewed:      {name: "Listing Viewed", draws: 9000, about: []property{channel}},
			saved:       {name: "Listing Saved", draws: 9000, about: []property{{name: "listing_id", prefix: "l-"}}},
			searchSaved: {name: "Search Saved"},
			recommended: {name: "Recommendation Clicked"},
			contacted:   {name: "Seller Contacted"},
			offered:     {name: "Offer Made"},
			ordered:     {name: Order, source: backOffice, draws: 300, about: []property{seller, channel}},
			rated: {
				name:  "Seller Rated",
				draws: 2000,
				about: []property{{name: "rating", values: []string{"5", "4", "5", "5", "4", "3", "1", "2"}}},
			},
			cancelledBySeller: {
				name:   "Order Cancelled",
				source: backOffice,
				draws:  1,
				about:  []property{{name: "cancelled_by", values: []string{`"seller"`}}},
			},
			refunded:     {name: "Order Refunded", source: backOffice},
			disputed:     {name: "Dispute Opened", source: helpdesk},
			settled:      {name: "Dispute Closed", source: helpdesk},
			fraud:        {name: "Fraud Reported", source: helpdesk},
			cleared:      {name: "Fraud Report Closed", source: helpdesk},
			ticketOpened: {name: "Support Ticket Opened", source: helpdesk, draws: 90_000, about: ticket},
			ticketSolved: {name: "Support Ticket Solved", source: helpdesk},
			failed:       {name: "Payment Failed", source: backOffice, draws: 90_000, about: []property{invoice}},
			failedFinally: {
				name:   "Payment Failed",
				source: backOffice,
				draws:  kept,
				about:  []property{invoice, {name: "final", values: []string{"true"}}},
			},
			scored: {
				name:  "NPS Submitted",
				draws: 2000,
				about: []property{{name: "score", values: []string{"9", "8", "10", "7", "6", "9", "5", "2"}}},
			},
			verified:     {name: "Identity Verified"},
			posted:       {name: "Community Post Created"},
			referred:     {name: "Referral Made"},
			attended:     {name: "Event Attended"},
			gift:         {name: "Gift Sent", source: helpdesk},
			emailed:      {name: "Email Delivered", source: backOffice},
			clicked:      {name: "Email Link Clicked"},
			unsubscribed: {name: "Unsubscribed"},
			cancelling:   {name: "Cancellation Started"},
			cancelled:    {name: "Cancellation Requested"},
			withdrawn:    {name: "Cancellation Withdrawn"},
		},
		kinds: []weighted[kind]{{40, loyal}, {45, taster}, {15, passer}},
		rhythms: []weighted[rhythm]{ // from collectors to who moves house once a year
			{22, rhythm{law{6 * day, 0.25}, 30, 40}},
			{22, rhythm{law{14 * day, 0.25}, 30, 40}},
			{16, rhythm{law{30 * day, 0.3}, 40, 40}},
			{25, rhythm{law{90 * day, 0.3}, 50, 40}},
			{15, rhythm{law{250 * day, 0.3}, 20, 40}},
		},
		taste:  law{40 * day, 1.2},
		buys:   span{15, 45},
		basket: law{5500, 0.8},
		spread: 0.6,
		causes: []weighted[Cause]{
			{24, Moved}, {30, Rival}, {12, Unpaid}, {10, Unheard}, {6, Cancelled}, {18, Wronged},
		},
		tasterCauses: []weighted[Cause]{{82, Tried}, {3, Unpaid}, {5, Unheard}, {10, Wronged}},
		farewells: map[Cause]farewell{
			Unpaid: {last: true, steps: []step{
				{
					what: failed,
				},
				{what: failed, delay: span{20 * hour, 40 * hour}},
				{what: failedFinally, share: 50, delay: span{3 * day, 7 * day}},
			}},
			Unheard: {steps: []step{
				{what: ticketOpened, delay: span{hour, 3 * day}}, {what: ticketOpened, delay: span{2 * day, 9 * day}},
			}},
			Cancelled: {last: true, steps: []step{{what: cancelling}, {what: cancelled, delay: span{5 * minute, 4 * day}}}},
			Wronged: {steps: []step{
				{what: cancelledBySeller, delay: span{day, 9 * day}},
				{what: disputed, share: 60, delay: span{day, 9 * day}},
				{what: fraud, share: 30, delay: span{day, 9 * day}},
			}},
		},
		look: []step{
			{what: searched, most: 3},
			{what: searchedInVain, share: 14},
			{what: viewed, share: 80, most: 4},
			{what: saved, share: 12},
			{what: searchSaved, share: 3},
			{what: recommended, share: 10},
			{what: contacted, share: 14},
			{what: posted, share: 3},
		},
		deal: []step{
			{what: offered, share: 25, idle: 3},
			{what: failed, share: 2},
			{what: ordered, prices: true, money: fee},
		},
		dealt: []chain{
			{30, []step{{what: rated, delay: span{3 * day, 12 * day}}}},
			{
				3,
				[]step{
					{what: cancelledBySeller, delay: span{day, 4 * day}},
					{what: refunded, delay: span{day, 4 * day}, money: part},
				},
			},
			{2, []step{{what: disputed, delay: span{3 * day, 12 * day}}, {what: settled, delay: span{2 * day, 20 * day}}}},
			{1, []step{{what: fraud, delay: span{3 * day, 12 * day}}, {what: cleared, delay: span{2 * day, 20 * day}}}},
			{
				4,
				[]step{
					{what: ticketOpened, delay: span{hour, 5 * day}},
					{what: ticketSolved, share: 90, delay: span{hour, 4 * day}},
				},
			},
		},
		rounds: []round{
			{every: law{10 * day, 0.01}, chain: chain{100, []step{
				{what: emailed}, {what: clicked, share: 18, delay: span{hour, 2 * day}},
			}}},
			{every: law{500 * day, 0.4}, chain: chain{100, []step{{what: unsubscribed}}}},
			{every: law{150 * day, 0.1}, loyal: true, chain: chain{40, []step{{what: scored}}}},
			{every: law{700 * day, 0.4}, loyal: true, chain: chain{100, []step{{what: verified}}}},
			{every: law{500 * day, 0.4}, loyal: true, chain: chain{100, []step{{what: referred}}}},
			{every: law{300 * day, 0.4}, loyal: true, chain: chain{30, []step{{what: attended}}}},
			{every: law{365 * day, 0.1}, loyal: true, chain: chain{40, []step{{what: gift}}}},
			{every: law{700 * day, 0.4}, loyal: true, chain: chain{100, []step{
				{what: cancelling}, {what: withdrawn, share: 60, delay: span{hour, 9 * day}},
			}}},
		},
	}
}
