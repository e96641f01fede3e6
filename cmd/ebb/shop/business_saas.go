package shop

// saas is a vendor of software that is paid for monthly. Accounts that never pay are trials; guests come to webinars.
func saas() *business {
	const (
		signedUp what = iota
		accountCreated
		trialStarted
		signedIn
		featureUsed
		reportViewed
		inviteSent
		newTried
		connected
		limitReached
		keyAction
		signedOut
		onboarded
		activated
		paid
		failed
		failedFinally
		ticketOpened
		ticketReplied
		ticketSolved
		ticketEscalated
		rated
		emailed
		clicked
		surveyed
		scored
		reviewed
		agreed
		trained
		requested
		shipped
		goalDue
		goalReached
		incident
		resolved
		disconnected
		downgraded
		upgraded
		renewed
		seatsCounted
		seatsRemoved
		userRemoved
		championRemoved
		cancelling
		cancelled
		withdrawn
		webinar
		posted
	)
	plan := []property{{name: "plan", own: true, values: []string{`"starter"`, `"team"`, `"team"`, `"business"`}}}
	feature := []property{{name: "feature", values: []string{
		`"board"`, `"search"`, `"export"`, `"automation"`, `"dashboard"`, `"comments"`, `"calendar"`, `"api"`,
	}}}
	integration := []property{{name: "integration", values: []string{`"slack"`, `"github"`, `"salesforce"`, `"zapier"`}}}
	invoice, ticket := property{name: "invoice_id", prefix: "inv-"}, []property{{name: "ticket_id", prefix: "t-"}}
	champion := []property{{name: "champion", values: []string{"true"}}}
	return &business{
		name: "saas", title: "software vendor",
		worth: Worth{High: 10_000_00, Mid: 1000_00, Days: 365, Per: "a year"},
		joins: []what{accountCreated}, pays: []what{paid},
		events: []event{
			signedUp:       {name: "Signed Up"},
			accountCreated: {name: "Account Created", about: plan},
			trialStarted:   {name: "Trial Started"},
			signedIn:       {name: "Signed In"},
			featureUsed:    {name: "Feature Used", draws: 2000, about: feature},
			reportViewed:   {name: "Report Viewed"},
			inviteSent:     {name: "Invite Sent"},
			newTried:       {name: "New Feature Tried"},
			connected:      {name: "Integration Connected", draws: 2000, about: integration},
			limitReached:   {name: "Limit Reached"},
			keyAction:      {name: "Key Action Completed"},
			signedOut:      {name: "Signed Out"},
			onboarded:      {name: "Onboarding Step Completed"},
			activated:      {name: "Activated"},
			paid:           {name: "Payment Succeeded", source: backOffice},
			failed:         {name: "Payment Failed", source: backOffice, draws: 90_000, about: []property{invoice}},
			failedFinally: {
				name:   "Payment Failed",
				source: backOffice,
				draws:  kept,
				about:  []property{invoice, {name: "final", values: []string{"true"}}},
			},
			ticketOpened:    {name: "Support Ticket Opened", source: helpdesk, draws: 90_000, about: ticket},
			ticketReplied:   {name: "Support Ticket Replied", source: helpdesk},
			ticketSolved:    {name: "Support Ticket Solved", source: helpdesk},
			ticketEscalated: {name: "Support Ticket Escalated", source: helpdesk},
			rated: {
				name:   "Satisfaction Rated",
				source: helpdesk,
				draws:  2000,
				about:  []property{{name: "rating", values: []string{"5", "4", "5", "4", "3", "2", "1"}}},
			},
			emailed:  {name: "Email Delivered", source: backOffice},
			clicked:  {name: "Email Link Clicked"},
			surveyed: {name: "Survey Sent", source: backOffice},
			scored: {
				name:  "NPS Submitted",
				draws: 2000,
				about: []property{{name: "score", values: []string{"9", "8", "10", "7", "6", "9", "4", "2"}}},
			},
			reviewed:     {name: "Review Held", source: backOffice},
			agreed:       {name: "Next Step Agreed", source: backOffice},
			trained:      {name: "Training Completed"},
			requested:    {name: "Feature Request Filed"},
			shipped:      {name: "Feature Request Shipped", source: backOffice},
			goalDue:      {name: "Goal Due", source: backOffice},
			goalReached:  {name: "Goal Reached", source: backOffice},
			incident:     {name: "Incident Affected Customer", source: backOffice},
			resolved:     {name: "Incident Resolved", source: backOffice},
			disconnected: {name: "Integration Disconnected", draws: 2000, about: integration},
			downgraded: {
				name:   "Plan Downgraded",
				source: backOffice,
				draws:  1,
				about:  []property{{name: "plan", values: []string{`"starter"`}}},
			},
			upgraded: {
				name:   "Plan Upgraded",
				source: backOffice,
				draws:  1,
				about:  []property{{name: "plan", values: []string{`"business"`}}},
			},
			renewed: {name: "Contract Renewed", source: backOffice, about: plan},
			seatsCounted: {
				name:   "Seats Counted",
				source: backOffice,
				about:  []property{{name: "utilisation", own: true, values: []string{"82", "67", "91", "44", "74", "38"}}},
			},
			seatsRemoved:    {name: "Seats Removed", source: backOffice},
			userRemoved:     {name: "Account Removed User"},
			championRemoved: {name: "Account Removed User", draws: 1, about: champion},
			cancelling:      {name: "Cancellation Started"},
			cancelled:       {name: "Cancellation Requested"},
			withdrawn:       {name: "Cancellation Withdrawn"},
			webinar:         {name: "Webinar Attended"},
			posted:          {name: "Community Post Created"},
		},
		kinds: []weighted[kind]{{60, loyal}, {30, taster}, {10, passer}},
		rhythms: []weighted[rhythm]{ // from who works with it daily to who opens it for the month's figures
			{40, rhythm{law{30 * hour, 0.25}, 30, 40}},
			{30, rhythm{law{3 * day, 0.25}, 40, 40}},
			{18, rhythm{law{8 * day, 0.3}, 40, 40}},
			{12, rhythm{law{27 * day, 0.2}, 15, 20}},
		},
		taste:  law{4 * day, 0.9},
		buys:   span{30, 80},
		basket: law{150_00, 1.2}, // a month
		causes: []weighted[Cause]{
			{20, Moved}, {24, Rival}, {14, Unpaid}, {10, Unheard}, {20, Cancelled}, {12, Deserted},
		},
		tasterCauses: []weighted[Cause]{{88, Tried}, {4, Unheard}, {8, Cancelled}},
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
			Deserted: {last: true, steps: []step{
				{what: championRemoved},
				{what: seatsRemoved, share: 70, delay: span{day, 12 * day}},
				{what: downgraded, share: 60, delay: span{day, 20 * day}},
			}},
		},
		joining: []step{{what: signedUp}, {what: accountCreated}, {what: trialStarted, share: 60}},
		guest:   []step{{what: webinar}, {what: posted, share: 20}},
		look: []step{
			{what: signedIn},
			{what: featureUsed, share: 85, most: 5},
			{what: reportViewed, share: 12},
			{what: inviteSent, share: 3},
			{what: newTried, share: 3},
			{what: connected, share: 2},
			{what: limitReached, share: 2},
			{what: onboarded, share: 5},
		},
		deal: []step{{what: keyAction}, {what: signedOut, share: 40, idle: 40}},
		visited: []chain{
			{1, []step{
				{what: ticketOpened, delay: span{hour, 2 * day}},
				{what: ticketReplied, delay: span{hour, 30 * hour}},
				{what: ticketSolved, share: 92, delay: span{hour, 4 * day}},
				{what: rated, share: 40, delay: span{hour, day}},
			}},
			{1, []step{{what: activated, delay: span{minute, hour}}}},
			{1, []step{{what: posted, delay: span{minute, hour}}}},
		},
		rounds: []round{
			{every: law{30 * day, 0}, loyal: true, chain: chain{100, []step{{what: paid, money: fee}}}},
			{every: law{400 * day, 0.4}, loyal: true, chain: chain{100, []step{
				{what: failed}, {what: failed, share: 40, delay: span{3 * day, 4 * day}},
			}}},
			{every: law{14 * day, 0.01}, chain: chain{100, []step{
				{what: emailed}, {what: clicked, share: 22, delay: span{hour, 2 * day}},
			}}},
			{every: law{14 * day, 0}, loyal: true, chain: chain{100, []step{{what: seatsCounted}}}},
			{every: law{90 * day, 0.1}, loyal: true, chain: chain{100, []step{
				{what: surveyed}, {what: scored, share: 45, delay: span{hour, 9 * day}},
			}}},
			{every: law{75 * day, 0.2}, loyal: true, chain: chain{70, []step{
				{what: reviewed}, {what: agreed, share: 80, delay: span{hour, 3 * day}},
			}}},
			{every: law{170 * day, 0.4}, loyal: true, chain: chain{100, []step{{what: trained}}}},
			{every: law{200 * day, 0.4}, loyal: true, chain: chain{100, []step{
				{what: requested}, {what: shipped, share: 60, delay: span{20 * day, 160 * day}},
			}}},
			{every: law{180 * day, 0.2}, loyal: true, chain: chain{100, []step{
				{what: goalDue}, {what: goalReached, share: 70, delay: span{hour, 20 * day}},
			}}},
			{every: law{300 * day, 0.4}, loyal: true, chain: chain{100, []step{
				{what: incident}, {what: resolved, delay: span{2 * hour, 30 * hour}},
			}}},
			{every: law{350 * day, 0.4}, loyal: true, chain: chain{100, []step{
				{what: disconnected}, {what: connected, share: 50, delay: span{hour, 9 * day}},
			}}},
			{every: law{365 * day, 0}, loyal: true, chain: chain{100, []step{{what: renewed}}}},
			{every: law{600 * day, 0.4}, loyal: true, chain: chain{100, []step{{what: upgraded}}}},
			{every: law{700 * day, 0.4}, loyal: true, chain: chain{100, []step{{what: downgraded}}}},
			{every: law{500 * day, 0.4}, loyal: true, chain: chain{100, []step{{what: seatsRemoved}}}},
			{every: law{150 * day, 0.4}, loyal: true, chain: chain{100, []step{{what: userRemoved}}}},
			{every: law{700 * day, 0.4}, loyal: true, chain: chain{100, []step{{what: championRemoved}}}},
			{every: law{500 * day, 0.4}, loyal: true, chain: chain{100, []step{
				{what: cancelling}, {what: withdrawn, share: 60, delay: span{hour, 9 * day}},
			}}},
		},
	}
}
