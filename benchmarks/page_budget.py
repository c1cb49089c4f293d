"""How heavy the pages are, and how soon a browser shows them: every kind of page, from the disk.

Needs Chromium on the path, and a report as `make demo` makes it:

    python benchmarks/page_budget.py reports/2026-06-30    # writes docs/page_budget.md

Fails where a page is over budget. First contentful paint is what the browser says of itself
(W3C Paint Timing), the median of some visits, each with nothing kept from the one before.
"""

import shutil
import sys
from pathlib import Path
from statistics import median

import pandas as pd
from pages import as_markdown, write
from playwright.sync_api import Browser, sync_playwright

KB, SECONDS = 500, 1.0  # the budget of a page
VISITS = 5
KINDS = {
    "the team's front page": "index.html",
    "a rep's copy": "one_on_one/*[0-9].html",
    "the manager's copy": "one_on_one/*.manager.html",
    "a notebook's page": "[0-9]*.html",
    "cards": "cards.html",
    "a sheet for a ride-along": "ride_alongs/*.html",
}
PAINTED = """new Promise(told => {
    const known = performance.getEntriesByName('first-contentful-paint')
    if (known.length) told(known[0].startTime)
    new PerformanceObserver(list => told(list.getEntries().at(-1).startTime))
        .observe({type: 'paint', buffered: true})
})"""

PAGE = """# How heavy are the pages?

Written by `python benchmarks/page_budget.py`: the report of `data/demo`, pages opened from the
disk in Chromium {version} on this machine, {visits} visits each. The budget of a page is {kb} kB
and {seconds:g} s until something is seen. Pages hold all they need: pictures as SVG with real
text, one style sheet, one script; no font, nothing from the network. Of each kind the number of
pages, the weight of the median and of the heaviest in kB, and of the heaviest the milliseconds to
the first contentful paint.

{table}
"""


def painted(browser: Browser, page: Path) -> float:
    """Milliseconds to the first contentful paint, the median of some visits."""
    seen = []
    for _ in range(VISITS):
        tab = browser.new_page()
        tab.goto(page.resolve().as_uri())
        seen.append(float(tab.evaluate(PAINTED)))
        tab.close()
    return median(seen)


def measure(folder: Path, browser: Browser) -> pd.DataFrame:
    """One row per kind of page that the folder holds."""
    rows = []
    for kind, pattern in KINDS.items():
        weight = {page: page.stat().st_size / 1000 for page in folder.glob(pattern)}
        if not weight:
            continue
        heaviest = max(weight, key=lambda page: weight[page])
        rows.append(
            {
                "page": kind,
                "n": len(weight),
                "median kB": median(weight.values()),
                "heaviest kB": weight[heaviest],
                "heaviest": heaviest.relative_to(folder),
                "paint ms": painted(browser, heaviest),
            }
        )
    if not rows:
        raise SystemExit(f"There are no pages in {folder}: make demo writes some.")
    return pd.DataFrame(rows)


if __name__ == "__main__":
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        found = measure(Path(sys.argv[1]), browser)
        said = {"version": browser.version.split(".")[0], "visits": VISITS, "kb": KB}
        table = as_markdown(found, digits=0)
        write("page_budget.md", PAGE.format(**said, seconds=SECONDS, table=table))
        browser.close()
    over = found[(found["heaviest kB"] > KB) | (found["paint ms"] > 1000 * SECONDS)]
    sys.exit(f"Over budget: {', '.join(over['page'])}" if len(over) else 0)
