"""What the GIL probe of a job means for threads."""

from collections.abc import Mapping
from typing import Any


def gil_in_words(gil: Mapping[str, Any]) -> str:
    """What a verdict means for threads, in one sentence.

    >>> gil_in_words({"function": "work:crunch", "verdict": "holds", "evidence": {}})
    "work:crunch holds the GIL while it runs: threads can't compute in parallel, processes can."
    """
    name, verdict, evidence = gil["function"], gil["verdict"], gil["evidence"]
    if verdict == "holds":
        return f"{name} holds the GIL while it runs: threads can't compute in parallel, processes can."
    if verdict == "yields":
        return (
            f"{name} hardly releases the GIL, though the interpreter hands it over every few milliseconds: "
            "threads can't compute in parallel, processes can."
        )
    if verdict == "releases":
        return f"{name} releases the GIL while it runs: threads can run it in parallel."
    if verdict == "mixed":
        share = evidence["at_long"]["share"]
        return (
            f"{name} releases the GIL during {share:.0%} of a call: "
            f"no number of threads makes it more than {1 / (1 - share):.1f}x as fast."
        )
    if verdict == "not-applicable" and evidence.get("gil_enabled"):
        return f"{name} runs with the GIL, though this Python can do without: {evidence['reason']}."
    if verdict == "not-applicable":
        return f"{name} runs without a GIL in this Python: threads can run it in parallel."
    if verdict == "too-short":
        return f"A call of {name} is too short to tell what it does with the GIL."
    return f"What {name} does with the GIL is not known: {evidence['reason']}."
