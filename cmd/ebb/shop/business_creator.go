package shop

// creator is a creator with members who pay monthly or yearly. Guests see what is free.
func creator() *business {
	const (
		startedMonthly what = iota
		startedYearly
		renewedMonthly
		renewedYearly
		paid
		failed
		failedFinally
		opened
		viewed
		completed
		liked
		commented
		voted
		attended
		chatted
		perkUsed
		challenged
		fanWork
		tipped
		published
		emailed
		clicked
		unsubscribed
		welcomed
		streakBroken
		paused
		mentioned
		answered
		ticketOpened
		ticketSolved
		ticketEscalated
		disputed
		settled
		downgraded
		scored
		referred
		gift
		featured
		cancelling
		cancelled
		withdrawn
	)
	membership := func(interval string) []property {
		return []property{
			{name: "tier", own: true, values: []string{`"supporter"`, `"supporter"`, `"friend"`, `"patron"`}},
			{name: "interval", values: []string{interval}},
		}
	}
	invoice, ticket := property{name: "invoice_id", prefix: "inv-"}, []property{{name: "ticket_id", prefix: "t-"}}
	content, monthly, yearly := []property{{name: "content_id", prefix: "e-"}}, span{0, 80}, span{80, 100}
	return &business{
		name:  "creator",
		title: "creator with members",
		worth: Worth{High: 200_00, Mid: 50_00, Days: 365, Per: "a year"},
		joins: []what{startedMonthly, startedYearly},
		pays:  []what{paid, tipped},
		events: []event{
			startedMonthly: {name: "Membership Started", draws: 1, about: membership(`"month"`)},
			startedYearly:  {name: "Membership Started", draws: 1, about: membership(`"year"`)},
			renewedMonthly: {name: "Membership Renewed", source: backOffice, draws: 1, about: membership(`"month"`)},
			renewedYearly:  {name: "Membership Renewed", source: backOffice, draws: 1, about: membership(`"year"`)},
			paid:           {name: "Payment Succeeded", source: backOffice},
			failed:         {name: "Payment Failed", source: backOffice, draws: 90_000, about: []property{invoice}},
			failedFinally: {
				name:   "Payment Failed",
				source: backOffice,
				draws:  kept,
				about:  []property{invoice, {name: "final", values: []string{"true"}}},
			},
			opened:       {name: "App Opened"},
			viewed:       {name: "Content Viewed", draws: 400, about: content},
			completed:    {name: "Content Completed", draws: kept, about: content},
			liked:        {name: "Post Liked"},
			commented:    {name: "Comment Posted"},
			voted:        {name: "Poll Voted"},
			attended:     {name: "Live Attended"},
			chatted:      {name: "Chat Message Sent"},
			perkUsed:     {name: "Perk Used"},
			challenged:   {name: "Challenge Day Completed"},
			fanWork:      {name: "Fan Work Shared"},
			tipped:       {name: "Tip Sent", source: backOffice},
			published:    {name: "Content Published", source: backOffice, draws: 400, about: content},
			emailed:      {name: "Email Delivered", source: backOffice},
			clicked:      {name: "Email Link Clicked"},
			unsubscribed: {name: "Unsubscribed"},
			welcomed:     {name: "Member Welcomed", source: helpdesk},
			streakBroken: {
				name:  "Challenge Streak Broken",
				draws: 2000,
				about: []property{{name: "days", values: []string{"2", "3", "4", "6"}}},
			},
			paused:          {name: "Format Paused", source: backOffice},
			mentioned:       {name: "Negative Mention Received", source: helpdesk},
			answered:        {name: "Mention Answered", source: helpdesk},
			ticketOpened:    {name: "Support Ticket Opened", source: helpdesk, draws: 90_000, about: ticket},
			ticketSolved:    {name: "Support Ticket Solved", source: helpdesk},
			ticketEscalated: {name: "Support Ticket Escalated", source: helpdesk},
			disputed:        {name: "Dispute Opened", source: backOffice},
			settled:         {name: "Dispute Closed", source: backOffice},
			downgraded:      {name: "Membership Downgraded"},
			scored: {
				name:  "NPS Submitted",
				draws: 2000,
				about: []property{{name: "score", values: []string{"9", "8", "10", "7", "10", "9", "5", "3"}}},
			},
			referred:   {name: "Referral Made"},
			gift:       {name: "Gift Sent", source: helpdesk},
			featured:   {name: "Fan Work Featured", source: backOffice},
			cancelling: {name: "Cancellation Started"},
			cancelled:  {name: "Cancellation Requested"},
			withdrawn:  {name: "Cancellation Withdrawn"},
		},
		kinds: []weighted[kind]{{52, loyal}, {30, taster}, {18, passer}},
		rhythms: []weighted[rhythm]{ // from who looks in daily to who reads the month's posts at once
			{26, rhythm{law{40 * hour, 0.25}, 30, 40}},
			{32, rhythm{law{4 * day, 0.25}, 40, 40}},
			{26, rhythm{law{10 * day, 0.3}, 40, 40}},
			{16, rhythm{law{28 * day, 0.3}, 40, 40}},
		},
		taste:  law{9 * day, 1},
		buys:   span{1, 8},
		basket: law{7_00, 0.6}, // a month, and a tip
		spread: 0.6,
		causes: []weighted[Cause]{
			{22, Moved}, {26, Rival}, {18, Unpaid}, {6, Unheard}, {20, Cancelled}, {8, Wronged},
		},
		tasterCauses: []weighted[Cause]{{70, Tried}, {10, Unpaid}, {20, Cancelled}},
		farewells: map[Cause]farewell{
			Unpaid: {last: true, steps: []step{
				{what: failed},
				{what: failed, delay: span{3 * day, 4 * day}},
				{what: failedFinally, delay: span{5 * day, 9 * day}},
			}},
			Unheard: {steps: []step{
				{what: ticketOpened, delay: span{hour, 3 * day}},
				{what: ticketOpened, delay: span{2 * day, 9 * day}},
				{what: ticketEscalated, share: 50, delay: span{day, 4 * day}},
			}},
			Cancelled: {last: true, steps: []step{{what: cancelling}, {what: cancelled, delay: span{5 * minute, 4 * day}}}},
			Wronged: {steps: []step{
				{what: mentioned, delay: span{hour, 3 * day}},
				{what: disputed, share: 50, delay: span{day, 9 * day}},
			}},
		},
		joining: []step{
			{what: startedMonthly, whose: monthly},
			{what: startedYearly, whose: yearly},
			{what: paid, money: fee},
		},
		guest: []step{{what: viewed, most: 2}, {what: liked, share: 20}, {what: commented, share: 5}},
		look: []step{
			{what: opened, share: 60},
			{what: viewed, share: 88, most: 3},
			{what: completed, share: 50},
			{what: liked, share: 30},
			{what: commented, share: 14},
			{what: voted, share: 5},
			{what: attended, share: 6},
			{what: chatted, share: 5},
			{what: perkUsed, share: 4},
			{what: challenged, share: 5},
			{what: fanWork, share: 3},
		},
		deal: []step{{what: tipped, prices: true, money: fee}},
		visited: []chain{
			{1, []step{{what: welcomed, delay: span{hour, 2 * day}}}},
			{
				1,
				[]step{{what: ticketOpened, delay: span{hour, day}}, {what: ticketSolved, share: 90, delay: span{hour, 4 * day}}},
			},
		},
		rounds: []round{
			{every: law{84 * hour, 0.2}, chain: chain{100, []step{{what: published}}}},
			{every: law{7 * day, 0}, chain: chain{100, []step{
				{what: emailed}, {what: clicked, share: 25, delay: span{hour, 2 * day}},
			}}},
			{every: law{30 * day, 0}, loyal: true, chain: chain{100, []step{
				{what: renewedMonthly, whose: monthly}, {what: paid, delay: span{second, minute}, money: fee},
			}}},
			{every: law{365 * day, 0}, loyal: true, chain: chain{100, []step{
				{what: renewedYearly, whose: yearly}, {what: paid, delay: span{second, minute}, money: fee},
			}}},
			{every: law{350 * day, 0.4}, loyal: true, chain: chain{100, []step{
				{what: failed},
				{what: failed, share: 40, delay: span{3 * day, 4 * day}},
			}}},
			{every: law{90 * day, 0.5}, loyal: true, chain: chain{100, []step{{what: streakBroken}}}},
			{every: law{500 * day, 0.4}, loyal: true, chain: chain{100, []step{{what: paused}}}},
			{every: law{500 * day, 0.4}, loyal: true, chain: chain{100, []step{
				{what: mentioned}, {what: answered, share: 70, delay: span{10 * minute, 2 * day}},
			}}},
			{every: law{900 * day, 0.4}, loyal: true, chain: chain{100, []step{
				{what: disputed}, {what: settled, delay: span{2 * day, 20 * day}},
			}}},
			{every: law{600 * day, 0.4}, loyal: true, chain: chain{100, []step{{what: downgraded}}}},
			{every: law{600 * day, 0.4}, loyal: true, chain: chain{100, []step{{what: unsubscribed}}}},
			{every: law{150 * day, 0.1}, loyal: true, chain: chain{45, []step{{what: scored}}}},
			{every: law{400 * day, 0.4}, loyal: true, chain: chain{100, []step{{what: referred}}}},
			{
				every: law{200 * day, 0.4},
				loyal: true,
				chain: chain{50, []step{{what: gift}, {what: featured, share: 30, delay: span{day, 9 * day}}}},
			},
			{every: law{600 * day, 0.4}, loyal: true, chain: chain{100, []step{
				{what: cancelling}, {what: withdrawn, share: 60, delay: span{hour, 9 * day}},
			}}},
		},
	}
}
