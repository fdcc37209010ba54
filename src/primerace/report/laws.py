"""The laws of scaling fitted to a curve of a sweep, in sentences."""

from collections.abc import Iterator, Sequence

from primerace.results import Entry
from primerace.scaling import LAWS, Fit, fit
from primerace.stats import FEWEST_ROUNDS


def laws(curve: Sequence[Entry]) -> Iterator[str]:
    """Each law fitted to the speed-ups over the curve's own single worker."""
    seconds = {entry.workers: entry.median_seconds for entry in curve if entry.median_seconds}
    if 1 not in seconds:
        yield "No law is fitted: the sweep has no lap with 1 worker"
        return
    if min(entry.laps for entry in curve) < FEWEST_ROUNDS:
        yield f"No law is fitted below {FEWEST_ROUNDS} rounds"
        return
    for law, (_, names) in LAWS.items():
        if len(seconds) - 1 <= len(names):
            yield f"{law}: too few numbers of workers for a fit"
            continue
        try:
            yield _law_in_words(fit(law, list(seconds), [seconds[1] / each for each in seconds.values()]))
        except ImportError:
            yield "Amdahl's and Gunther's laws are fitted with SciPy: pip install 'primerace[fit]'"
            return


def _law_in_words(found: Fit) -> str:
    values = ", ".join(f"{name} {value:.4g}" for name, value in found.parameters.items())
    verdict = "fits" if found.fits else "does not fit"
    return f"{found.law}: {values}; {verdict} (residual {found.residual:.1%} rms)"
