r"""Totals of JSON documents: big texts go in, little comes out, and the parser holds the GIL.

    primerace advise --function ./examples/json_documents.py:total \
        --items-from ./examples/json_documents.py:documents

The documents are made up, the same ones every time.
"""

import json
import random
from collections.abc import Iterator

COUNT = 60
ORDERS = (500, 4000)  # fewest and most in a document


def total(document: str) -> dict[str, float]:
    """What each customer of a document ordered, in all."""
    totals: dict[str, float] = {}
    for order in json.loads(document)["orders"]:
        amount = sum(line["count"] * line["price"] for line in order["lines"])
        totals[order["customer"]] = totals.get(order["customer"], 0.0) + amount
    return totals


def documents() -> Iterator[str]:
    """Texts of between 90 kB and 800 kB."""
    draw = random.Random(20)
    for number in range(COUNT):
        orders = [_order(draw) for _ in range(draw.randint(*ORDERS))]
        yield json.dumps({"number": number, "orders": orders})


def _order(draw: random.Random) -> dict[str, object]:
    lines = [
        {
            "article": f"A{draw.randrange(10_000):05}",
            "count": draw.randint(1, 9),
            "price": draw.randrange(10_000) / 100,
        }
        for _ in range(draw.randint(1, 5))
    ]
    return {"customer": f"C{draw.randrange(50):03}", "lines": lines}
