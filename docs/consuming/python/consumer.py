"""Starts an action when ebb raises an alert, and cancels it when the episode ends: each once, also where it is killed.

What it does, and up to where it has read, is one SQLite database. With PostgreSQL the statements are the same.
"""

import json
import os
import sqlite3
import sys
from datetime import datetime, timezone

from confluent_kafka import OFFSET_BEGINNING, Consumer

db = sqlite3.connect(os.environ["STATE_FILE"], isolation_level=None)
db.executescript("""
    CREATE TABLE IF NOT EXISTS position (partition INTEGER PRIMARY KEY, next INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS alert (id TEXT PRIMARY KEY);
    CREATE TABLE IF NOT EXISTS action (episode TEXT PRIMARY KEY, customer TEXT NOT NULL, open INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS todo (number INTEGER PRIMARY KEY, id TEXT, episode TEXT, customer TEXT, do TEXT);
""")


def take(record):
    """Takes one alert: its id, what it leads to, and the offset behind it, in one transaction."""
    try:
        alert = json.loads(record.value() or b"")
    except ValueError:
        print(f"partition {record.partition()}, offset {record.offset()}: no alert", file=sys.stderr)
        return
    db.execute("BEGIN IMMEDIATE")
    with db:  # commits; or rolls back, where anything fails
        new = db.execute("INSERT INTO alert VALUES (?) ON CONFLICT DO NOTHING", [alert["id"]]).rowcount
        if new:
            act(alert)
        db.execute(
            "INSERT INTO position VALUES (?, ?) ON CONFLICT (partition) DO UPDATE SET next = excluded.next",
            [record.partition(), record.offset() + 1],
        )


def act(alert):
    """Your rules go here. What it does not know, it leaves alone: ebb will add transitions."""
    episode, expires = alert.get("episode_id"), alert.get("expires_at")
    if expires is None:  # recovered, converted, corrected, expired, and whatever else will end an episode
        if db.execute("UPDATE action SET open = 0 WHERE episode = ? AND open = 1", [episode]).rowcount:
            todo(alert, "cancel")
    elif alert["transition"] in ("raised", "escalated"):  # an escalation replaces the action of its episode
        until = datetime.fromisoformat(expires.replace("Z", "+00:00"))
        if datetime.now(timezone.utc) < until:  # a late message is worse than none
            db.execute(
                "INSERT INTO action VALUES (?, ?, 1) ON CONFLICT (episode) DO UPDATE SET open = 1",
                [episode, alert["customer"]],
            )
            todo(alert, "start")


def todo(alert, do):
    """Another program works these off in order, and hands on the alert's id as idempotency key."""
    db.execute(
        "INSERT INTO todo (id, episode, customer, do) VALUES (?, ?, ?, ?)",
        [alert["id"], alert["episode_id"], alert["customer"], do],
    )


def go_on(consumer, partitions):
    """The database decides where to read on, and not the offsets that the group has committed."""
    known = dict(db.execute("SELECT partition, next FROM position"))
    for p in partitions:
        p.offset = known.get(p.partition, OFFSET_BEGINNING)
    consumer.assign(partitions)


def main():
    consumer = Consumer({
        "bootstrap.servers": os.environ["KAFKA_BROKERS"],
        "group.id": os.environ["CONSUMER_GROUP"],
        "group.instance.id": "one",  # a restart goes on at once
        "isolation.level": "read_committed",  # else it reads alerts that were never published
        "auto.offset.reset": "earliest",
    })
    consumer.subscribe([os.environ["ALERTS_TOPIC"]], on_assign=go_on)
    while True:
        record = consumer.poll(1.0)
        if record is None:
            continue
        if record.error():
            print(record.error(), file=sys.stderr)
            continue
        take(record)


if __name__ == "__main__":
    main()
