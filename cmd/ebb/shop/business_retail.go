package shop

// Events of a shop. The names are those of the Segment e-commerce specification, version 2, as far as it has them.
const (
	searched what = iota
	viewed
	added
	checkout
	ordered
	refunded
	reviewed
	failed
	ticketOpened
	ticketSolved
)

// Order is the type of the event of an order.
const Order = "Order Completed"

// retail is a shop. Its figures of kinds, rhythms, tastes and pauses were searched for: with them the shares of
// TestSilences come out as in a log of real purchases. None is known by itself.
func retail() *business {
	const products = 2000
	product := []property{{name: "product_id", prefix: "p-"}}
	return &business{
		name: "retail", title: "shop",
		worth: Worth{High: 500_00, Mid: 100_00, Days: 365, Per: "a year"},
		joins: []what{ordered}, pays: []what{ordered},
		events: []event{
			searched:     {name: "Products Searched"},
			viewed:       {name: "Product Viewed", draws: products, about: product},
			added:        {name: "Product Added", draws: kept, about: product},
			checkout:     {name: "Checkout Started"},
			ordered:      {name: Order, source: backOffice},
			refunded:     {name: "Order Refunded", source: backOffice},
			reviewed:     {name: "Product Reviewed", draws: products, about: product},
			failed:       {name: "Payment Failed", source: backOffice},
			ticketOpened: {name: "Support Ticket Opened", source: helpdesk},
			ticketSolved: {name: "Support Ticket Solved", source: helpdesk},
		},
		kinds: []weighted[kind]{{32, loyal}, {58, taster}, {10, passer}},
		rhythms: []weighted[rhythm]{ // from who comes weekly to who comes for a present once a year
			{19, rhythm{law{7 * day, 0.25}, 30, 40}},
			{14, rhythm{law{13 * day, 0.25}, 30, 40}},
			{8, rhythm{law{26 * day, 0.25}, 40, 40}},
			{38, rhythm{law{112 * day, 0.3}, 60, 40}},
			{21, rhythm{law{330 * day, 0.3}, 20, 40}},
		},
		taste:        law{65 * day, 1.2},
		buys:         span{45, 95},
		basket:       law{4500, 0.6},
		spread:       0.5,
		causes:       []weighted[Cause]{{25, Moved}, {33, Rival}, {10, Returned}, {16, Unpaid}, {16, Unheard}},
		tasterCauses: []weighted[Cause]{{80, Tried}, {9, Returned}, {5, Unpaid}, {6, Unheard}},
		farewells: map[Cause]farewell{
			Returned: {steps: []step{{what: refunded, delay: span{4 * day, 15 * day}, money: whole}}},
			Unpaid: {last: true, steps: []step{ // two tries
				{what: checkout, prices: true},
				{what: failed, delay: span{minute, 5 * minute}, money: price},
				{what: checkout, delay: span{20 * hour, 40 * hour}, prices: true},
				{what: failed, delay: span{minute, 5 * minute}, money: price},
			}},
			Unheard: {steps: []step{
				{what: ticketOpened, delay: span{2 * day, 6 * day}},
				{what: ticketOpened, delay: span{2 * day, 9 * day}},
			}},
		},
		look: []step{{what: searched, share: 40}, {what: viewed, most: 4}},
		deal: []step{
			{what: added, idle: 25},
			{what: checkout, prices: true},
			{what: failed, share: 2, money: price}, // mistyped the card's number
			{what: ordered, money: price},
		},
		dealt: []chain{
			{returning, []step{{what: refunded, delay: span{4 * day, 15 * day}, money: part}}},
			{4, []step{{what: reviewed, delay: span{3 * day, 10 * day}}}},
			{3, []step{
				{what: ticketOpened, delay: span{day, 5 * day}},
				{what: ticketSolved, delay: span{2 * hour, 3 * day}},
			}},
		},
	}
}
