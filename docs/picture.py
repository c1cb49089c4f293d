"""Remake the README's picture: the upper part of a demo rep's one-on-one page.

python docs/picture.py PAGE    needs Chromium on the path; PAGE as `make demo` makes it
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

SIZE = {"width": 1200, "height": 1160}


def photograph(page: Path, picture: Path) -> None:
    """Save what a desktop browser shows of `page` first."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        tab = browser.new_page(viewport=SIZE)
        tab.goto(page.resolve().as_uri())
        tab.screenshot(path=picture)
        browser.close()


if __name__ == "__main__":
    photograph(Path(sys.argv[1]), Path(__file__).with_name("one_on_one.png"))
