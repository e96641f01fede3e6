"""Sends calls of every kind with the official Segment library, as it comes, to the receiver named on the command line."""

import sys
from datetime import datetime, timedelta, timezone

import segment.analytics as analytics

begin = datetime(2026, 3, 1, 9, 30, tzinfo=timezone.utc)
failures = []

analytics.write_key = "test"
analytics.host = sys.argv[1]
analytics.on_error = lambda error, items: failures.append(error)

analytics.track(anonymous_id="visitor", event="Order Completed", timestamp=begin)
analytics.track(user_id=42, event="Order Completed", timestamp=begin.astimezone(timezone(timedelta(hours=2))))
analytics.track(user_id="idle", event="Newsletter Delivered", timestamp=begin)
analytics.page(user_id="reader", category="Docs", name="Home", properties={"url": "https://shop.example/"}, timestamp=begin)
analytics.screen(user_id="viewer", name="Cart", timestamp=begin)
analytics.identify(user_id="c-0", traits={"email": "ann@shop.example", "plan": "gold"}, timestamp=begin)
analytics.group(user_id="c-0", group_id="acme", traits={"employees": 20}, timestamp=begin)
analytics.alias(previous_id="visitor", user_id="c-0", timestamp=begin)
for n in range(250):
    analytics.track(
        user_id=f"c-{n % 10}",
        event="Order Completed",
        properties={"order_id": f"o-{n}", "revenue": 0.1 * n, "currency": "EUR"},
        timestamp=begin + timedelta(hours=3 * n),
    )

analytics.shutdown()
if failures:
    sys.exit(f"the library gave up: {failures}")
