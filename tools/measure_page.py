"""How large a page of 10 racers, 20 items and 30 rounds is, and how long headless Chromium takes to open it.

    python tools/measure_page.py

Opened means: loaded, and every chart drawn. The results are made up; no racer runs. Needs chromium,
chromedriver and Selenium.
"""

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from browsing import browser
from pages import KERNELS, race

from primerace.report import html

TIMES = 7
READY = "return document.documentElement.dataset.ready"


def main() -> None:
    result = race(rounds=30, racers=[f"racer-{place}" for place in range(10)], kernels=KERNELS, items=20)
    text = html.page([("made-up.json", result)])
    print(f"{len(result.entries)} contestants, {len(result.laps)} laps: {len(text.encode()) / 1e6:.2f} MB")
    with tempfile.TemporaryDirectory() as folder, browser() as driver:
        page = Path(folder, "page.html")
        page.write_text(text, encoding="utf-8")
        seconds = [opened(driver, page) for _ in range(TIMES)]
    spread = f"{min(seconds):.2f} to {max(seconds):.2f} s"
    print(f"opened in {median(seconds):.2f} s (median of {TIMES}; {spread})")


def opened(driver, page: Path) -> float:
    """Seconds from asking for the page to its last chart."""
    driver.get(page.as_uri())
    while (milliseconds := driver.execute_script(READY)) is None:
        time.sleep(0.02)
    return int(milliseconds) / 1000


if __name__ == "__main__":
    main()
