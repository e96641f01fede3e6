#!/usr/bin/env python3
"""Vectors of our own: a seeded log, and what the executable specification of the core makes of it.

    python3 scoring/testdata/make_vectors.py REFERENCE_DIR

REFERENCE_DIR holds engine3.py and lapse3.py. Writes beside this script, in the format of the public logs:
  shop.csv      customer_id, ts_unix_seconds, event_type; in time order
  lapse_1.csv, lapse_4.csv    the alerts of one and of four partitions
  terms.json    terms and population of a second reading, in which some events come late
"""
import csv, json, math, pathlib, random, sys

HERE = pathlib.Path(__file__).parent
HORIZON = 90
ACTIVITY, FRICTION = {"purchase"}, {"payment_failed"}
START = 1_700_000_000
SPAN = 2 * 365 * 86400


def shop(customers=120):
    """Renewal processes of very different pace; some stop, some fail to pay, some shop in bursts."""
    r = random.Random(20240229)
    rows = []
    for c in range(customers):
        pace, spread = math.exp(r.uniform(math.log(1.5), math.log(160))), r.uniform(0.1, 1.2)
        t = r.uniform(0, 0.6) * SPAN
        stop = t + r.expovariate(1) * SPAN * 0.4 if r.random() < 0.6 else SPAN
        n = 0
        while t < min(stop, SPAN) and n < 60:
            rows.append((f"c{c}", int(START + t), "purchase"))
            if r.random() < 0.2:
                rows.append((f"c{c}", int(START + t + r.uniform(60, 9 * 3600)), "purchase"))
            if r.random() < 0.06:
                rows.append((f"c{c}", int(START + t + r.uniform(0, pace) * 86400), "payment_failed"))
            if r.random() < 0.05:
                rows.append((f"c{c}", int(START + t + 30), "newsletter_sent"))
            t += 86400 * pace * math.exp(r.gauss(0, spread))
            n += 1
    rows.sort(key=lambda e: e[1])
    return rows


def late(rows):
    """The same log with every ninth event put a few places later."""
    r = random.Random(7)
    out = list(rows)
    for i in range(0, len(out) - 400, 9):
        out.insert(i + r.randrange(1, 400), out.pop(i))
    return out


def main(reference):
    sys.path.insert(0, reference)
    from engine3 import DAY_SECONDS, Engine
    from lapse3 import alerts
    rows = shop()
    write("shop.csv", ["customer_id", "ts_unix_seconds", "event_type"], rows)
    for n in (1, 4):
        found = alerts([(c, float(t), k) for c, t, k in rows], HORIZON, ACTIVITY, FRICTION, n)
        write(f"lapse_{n}.csv", ["customer_id", "transition", "tier", "unix_seconds", "log_odds"],
              [(c, k, tier, f"{t:.0f}", f"{s:.9f}") for c, k, tier, t, s in sorted(found, key=lambda a: (a[0], a[3]))])
    engine = Engine(HORIZON)
    order = late(rows)
    for c, t, kind in order:
        engine.event(c, t / DAY_SECONDS, kind in ACTIVITY, 1.0 if kind in FRICTION else 0.0)
    now = START + SPAN + 86400
    mean, within, between = engine.pop.moments()
    index = {id(e): i for i, e in enumerate(rows)}
    with open(HERE / "terms.json", "w") as f:
        json.dump({
            "horizon_days": HORIZON, "at_unix": now, "order": [index[id(e)] for e in order],
            "population": {"mean": mean, "within": within, "between": between},
            "customers": {k: {"visits": c.visits, "terms": engine.terms(k, now / DAY_SECONDS)}
                          for k, c in engine.customers.items() if c.last >= 0}}, f, indent=0)
        f.write("\n")


def write(name, head, rows):
    with open(HERE / name, "w") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(head)
        out.writerows(rows)


if __name__ == "__main__":
    main(sys.argv[1])
