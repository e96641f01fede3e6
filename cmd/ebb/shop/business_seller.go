package shop

// marketplaceSeller is the side of a marketplace that sells. Guests have an account and have never listed anything.
func marketplaceSeller() *business {
	const (
		signedIn what = iota
		listed
		updated
		relisted
		abandoned
		buyerAnswered
		offerAnswered
		accepted
		shipped
		missed
		promoted
		payoutRequested
		payoutPaid
		payoutFailed
		payoutHeld
		sold
		soldAgain
		charged
		refunded
		reported
		reportedBad
		suspended
		reinstated
		disputed
		settled
		courseStarted
		courseCompleted
		verified
		posted
		scored
		referred
		visited
		ticketOpened
		ticketSolved
		paid
		failed
		failedFinally
		cancelling
		cancelled
		withdrawn
	)
	listing := []property{{name: "listing_id", prefix: "l-"}}
	course := []property{{name: "course", values: []string{`"photos that sell"`, `"pricing"`, `"shipping abroad"`}}}
	invoice, ticket := property{name: "invoice_id", prefix: "inv-"}, []property{{name: "ticket_id", prefix: "t-"}}
	report := func(live, views, sales, replies, defects, rating, fees []string) []property {
		return []property{
			{name: "live_percent", values: live},
			{name: "views_percent", values: views},
			{name: "sales_percent", values: sales},
			{name: "reply_time_percent", values: replies},
			{name: "defect_percent", values: defects},
			{name: "rating_change", values: rating},
			{name: "fee_share_change", values: fees},
		}
	}
	return &business{
		name: "marketplace_seller", title: "marketplace, the side that sells",
		worth: Worth{High: 500_00, Mid: 50_00, Days: 90, Per: "a quarter"},
		joins: []what{listed}, pays: []what{charged},
		events: []event{
			signedIn:        {name: "Signed In"},
			listed:          {name: "Listing Created", draws: 9000, about: listing},
			updated:         {name: "Listing Updated", draws: 9000, about: listing},
			relisted:        {name: "Listing Renewed", draws: 9000, about: listing},
			abandoned:       {name: "Listing Abandoned", draws: 9000, about: listing},
			buyerAnswered:   {name: "Buyer Answered"},
			offerAnswered:   {name: "Offer Answered"},
			accepted:        {name: "Order Accepted"},
			shipped:         {name: "Order Shipped"},
			missed:          {name: "Shipment Missed", source: backOffice},
			promoted:        {name: "Promotion Booked"},
			payoutRequested: {name: "Payout Requested"},
			payoutPaid:      {name: "Payout Paid", source: backOffice},
			payoutFailed:    {name: "Payout Failed", source: backOffice},
			payoutHeld:      {name: "Payout Held", source: backOffice},
			sold:            {name: "Sale Completed", source: backOffice},
			soldAgain: {
				name:   "Sale Completed",
				source: backOffice,
				draws:  1,
				about:  []property{{name: "repeat_buyer", values: []string{"true"}}},
			},
			charged:  {name: "Fee Charged", source: backOffice},
			refunded: {name: "Sale Refunded", source: backOffice},
			reported: {name: "Seller Report", source: backOffice, draws: 5000, about: report(
				[]string{
					"96",
					"104",
					"88",
					"110",
				},
				[]string{"98", "105", "93"},
				[]string{"101", "95", "108"},
				[]string{"100", "90", "120", "110"},
				[]string{"100", "80", "110"},
				[]string{"0", "0.1", "-0.1", "0"},
				[]string{"0", "0.4", "-0.3"},
			)},
			reportedBad: {name: "Seller Report", source: backOffice, draws: 5000, about: report(
				[]string{"45", "70", "95"}, []string{"118", "96"}, []string{"62", "48", "85"}, []string{"240", "110"},
				[]string{"100", "260", "120"}, []string{"-0.2", "-0.6", "0", "-0.1"}, []string{"0", "0.4", "0", "6", "0"},
			)},
			suspended:       {name: "Seller Suspended", source: helpdesk},
			reinstated:      {name: "Seller Reinstated", source: helpdesk},
			disputed:        {name: "Dispute Opened", source: helpdesk},
			settled:         {name: "Dispute Closed", source: helpdesk},
			courseStarted:   {name: "Course Started", draws: 3, about: course},
			courseCompleted: {name: "Course Completed"},
			verified:        {name: "Identity Verified"},
			posted:          {name: "Community Post Created"},
			scored: {
				name:  "NPS Submitted",
				draws: 2000,
				about: []property{{name: "score", values: []string{"9", "8", "10", "7", "6", "9", "5", "2"}}},
			},
			referred:     {name: "Referral Made"},
			visited:      {name: "Visit Logged", source: helpdesk},
			ticketOpened: {name: "Support Ticket Opened", source: helpdesk, draws: 90_000, about: ticket},
			ticketSolved: {name: "Support Ticket Solved", source: helpdesk},
			paid:         {name: "Payment Succeeded", source: backOffice},
			failed:       {name: "Payment Failed", source: backOffice, draws: 90_000, about: []property{invoice}},
			failedFinally: {
				name:   "Payment Failed",
				source: backOffice,
				draws:  kept,
				about:  []property{invoice, {name: "final", values: []string{"true"}}},
			},
			cancelling: {name: "Cancellation Started"},
			cancelled:  {name: "Cancellation Requested"},
			withdrawn:  {name: "Cancellation Withdrawn"},
		},
		kinds: []weighted[kind]{{55, loyal}, {33, taster}, {12, passer}},
		rhythms: []weighted[rhythm]{ // from shops to who clears out the cellar now and then
			{30, rhythm{law{2 * day, 0.25}, 30, 40}},
			{32, rhythm{law{5 * day, 0.25}, 40, 40}},
			{22, rhythm{law{14 * day, 0.3}, 40, 40}},
			{16, rhythm{law{40 * day, 0.3}, 40, 40}},
		},
		taste:  law{20 * day, 1},
		buys:   span{30, 70},
		basket: law{3_00, 1.1}, // the fee of a sale
		causes: []weighted[Cause]{
			{20, Moved}, {24, Rival}, {10, Unpaid}, {10, Unheard}, {8, Cancelled}, {10, Wronged}, {18, Unsold},
		},
		tasterCauses: []weighted[Cause]{{84, Tried}, {6, Unheard}, {10, Unsold}},
		farewells: map[Cause]farewell{
			Unpaid: {last: true, steps: []step{
				{what: failed},
				{what: failed, delay: span{3 * day, 4 * day}},
				{what: failedFinally, delay: span{5 * day, 9 * day}},
			}},
			Unheard: {steps: []step{
				{what: ticketOpened, delay: span{hour, 3 * day}}, {what: ticketOpened, delay: span{2 * day, 9 * day}},
			}},
			Cancelled: {last: true, steps: []step{{what: cancelling}, {what: cancelled, delay: span{5 * minute, 4 * day}}}},
			Wronged: {steps: []step{
				{what: payoutHeld, delay: span{hour, 3 * day}}, {what: suspended, share: 60, delay: span{day, 9 * day}},
			}},
			Unsold: {last: true, steps: []step{
				{
					what: reportedBad,
				},
				{what: reportedBad, delay: span{7 * day, 8 * day}},
				{what: abandoned, share: 50, delay: span{day, 9 * day}},
			}},
		},
		joining: []step{{what: signedIn}, {what: listed, share: 80, most: 2}, {what: abandoned, share: 15}},
		guest:   []step{{what: signedIn}, {what: courseStarted, share: 10}},
		look: []step{
			{what: signedIn},
			{what: updated, share: 40},
			{what: relisted, share: 8},
			{what: abandoned, share: 2},
			{what: buyerAnswered, share: 35},
			{what: offerAnswered, share: 8},
			{what: accepted, share: 30},
			{what: shipped, share: 28},
			{what: payoutRequested, share: 5},
			{what: promoted, share: 2},
			{what: posted, share: 3},
		},
		deal: []step{{what: listed}},
		visited: []chain{
			{
				1,
				[]step{
					{what: ticketOpened, delay: span{hour, 2 * day}},
					{what: ticketSolved, share: 90, delay: span{hour, 4 * day}},
				},
			},
			{1, []step{{what: missed, delay: span{day, 5 * day}}, {what: refunded, share: 50, delay: span{day, 5 * day}}}},
		},
		rounds: []round{
			{every: law{4 * day, 0.7}, loyal: true, chain: chain{100, []step{
				{what: sold}, {what: charged, delay: span{second, minute}, money: fee},
			}}},
			{every: law{80 * day, 0.7}, loyal: true, chain: chain{100, []step{
				{what: soldAgain}, {what: charged, delay: span{second, minute}, money: fee},
			}}},
			{every: law{7 * day, 0}, loyal: true, chain: chain{100, []step{{what: reported}}}},
			{every: law{180 * day, 0.5}, loyal: true, chain: chain{100, []step{{what: reportedBad}}}},
			{every: law{30 * day, 0}, loyal: true, chain: chain{100, []step{
				{what: payoutPaid}, {what: paid, delay: span{hour, day}},
			}}},
			{every: law{600 * day, 0.4}, loyal: true, chain: chain{100, []step{
				{what: payoutFailed}, {what: payoutPaid, delay: span{day, 9 * day}},
			}}},
			{every: law{500 * day, 0.4}, loyal: true, chain: chain{100, []step{
				{what: disputed}, {what: settled, delay: span{2 * day, 20 * day}},
			}}},
			{every: law{900 * day, 0.4}, loyal: true, chain: chain{100, []step{
				{what: suspended}, {what: reinstated, delay: span{day, 9 * day}},
			}}},
			{every: law{250 * day, 0.5}, loyal: true, chain: chain{100, []step{
				{what: courseStarted}, {what: courseCompleted, share: 60, delay: span{day, 25 * day}},
			}}},
			{every: law{900 * day, 0.4}, loyal: true, chain: chain{100, []step{{what: verified}}}},
			{every: law{150 * day, 0.1}, loyal: true, chain: chain{40, []step{{what: scored}}}},
			{every: law{500 * day, 0.4}, loyal: true, chain: chain{100, []step{{what: referred}}}},
			{every: law{200 * day, 0.4}, loyal: true, chain: chain{50, []step{{what: visited}}}},
			{every: law{400 * day, 0.4}, loyal: true, chain: chain{100, []step{
				{what: failed}, {what: failed, share: 40, delay: span{3 * day, 4 * day}},
			}}},
			{every: law{600 * day, 0.4}, loyal: true, chain: chain{100, []step{
				{what: cancelling}, {what: withdrawn, share: 60, delay: span{hour, 9 * day}},
			}}},
		},
	}
}
