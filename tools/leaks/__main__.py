"""Memory that grows: a million calls of everything public, errors too, and a thousand races.

Run by `nox -s leaks`; takes minutes. After a warm-up, neither calls nor races may add more to the memory of
the program than caches may still take up.
"""

import sys

import click
from calls import call_all
from races import hold_races


@click.command()
@click.option(
    "--calls", type=click.IntRange(0), default=1_000_000, show_default=True, help="Of each function."
)
@click.option("--races", type=click.IntRange(0), default=1000, show_default=True, help="How many.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of who races.")
def main(calls: int, races: int, seed: int) -> None:
    """Call, race, and look at the memory."""
    if not calls and not races:
        raise click.UsageError("no calls and no races: nothing would be shown")
    leaking, races_leak = 0, False
    if calls:
        leaking = call_all(calls)
        print(f"{leaking} functions leak")
    if races:
        races_leak = hold_races(races, seed)
        print(f"races {'leak' if races_leak else 'do not leak'}")
    sys.exit(1 if leaking or races_leak else 0)


if __name__ == "__main__":
    main()
