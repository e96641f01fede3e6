"""Prints Kafka messages as the official CloudEvents library makes them, each event in structured and in binary mode: a JSON
object a line with key, headers and the value in base64."""

import base64
import json
from datetime import datetime, timedelta, timezone

from cloudevents.core.bindings.kafka import to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

begin = datetime(2026, 3, 1, 9, 30, tzinfo=timezone.utc)


def text(b):
    return b.decode() if isinstance(b, bytes) else b


def send(id, data, **attributes):
    attributes = {
        "specversion": "1.0", "id": id, "source": "https://shop.example/web", "type": "Order Completed", "time": begin, **attributes,
    }
    event = CloudEvent(attributes=attributes, data=data)
    for convert in to_structured, to_binary:
        message = convert(event, JSONFormat())
        print(json.dumps({
            "key": text(message.key) or "", "headers": {k: text(v) for k, v in message.headers.items()},
            "value": base64.b64encode(message.value).decode(),
        }))


send("ext", {"value": "12.90"}, customer="by-extension", subject="not-looked-at", datacontenttype="application/json")
send("data", {"customer": "by-data"}, subject="not-looked-at")
send("key", {"sku": "A-1"}, partitionkey="by-key", datacontenttype="application/vnd.shop+json")
send("none", None, subject="without-data", tenant="shop-de")
send("xml", "<order/>", subject="of-xml", datacontenttype="text/xml", traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
send("bytes", b"\x00\xff\x01", subject="of-bytes", datacontenttype="application/octet-stream", dataschema="https://shop.example/schema")
send("idle", {"value": 1}, subject="idle", type="Newsletter Delivered", datacontenttype="application/json")
for n in range(20):
    send(
        f"e-{n}", {"order": f"o-{n}", "value": 0.1 * n, "currency": "EUR"},
        subject=f"c-{n % 5}", time=begin + timedelta(hours=6 * n), datacontenttype="application/json",
    )
