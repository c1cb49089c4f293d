"""Remake the pictures of the README and the tour: what browsers and printers make of the demo.

python docs/picture.py FOLDER   needs Chromium and poppler's pdftoppm on the path; FOLDER is the
                                day's, as `make demo`, `salesnb cards` and `ride-alongs` fill it
"""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

DOCS = Path(__file__).parent
REP = "one_on_one/R17"  # has something to work on
DESK, PHONE = (1200, 1160), (390, 844)
COLOURS = 64  # of a picture; nothing on the pages has more that matter
# Picture, page, size of the window, light or dark, and how far down: what is to be seen.
SEEN = [
    ("one_on_one.png", f"{REP}.manager.html", DESK, "light", ""),
    ("tour/front_page.png", "index.html", DESK, "light", ""),
    ("tour/leaks.png", "02_funnel.html", DESK, "light", "section:nth-of-type(2)"),
    ("tour/week_dark.png", "03_early_warning.html", DESK, "dark", "section:nth-of-type(1)"),
    ("tour/questions_dark.png", f"{REP}.manager.html", DESK, "dark", "section:nth-of-type(4)"),
    ("tour/phone_front_page.png", "index.html", PHONE, "light", ""),
    ("tour/phone_one_on_one.png", f"{REP}.html", PHONE, "light", "section:nth-of-type(3)"),
    ("tour/phone_dark.png", f"{REP}.html", PHONE, "dark", "section:nth-of-type(5)"),
]
PRINTED = {
    "tour/print_one_on_one.png": f"{REP}.manager.html",
    "tour/print_card.png": "cards.html",
    "tour/print_ride_along.png": "ride_alongs/*.html",
}
SHEETS = 2  # side by side


def photograph(browser: Browser, page: Path, picture: Path, size: tuple[int, int], scheme: str,
               top: str) -> None:  # fmt: skip
    """Save what a browser shows of `page` first, or from the element `top` on."""
    wide, high = size
    context = browser.new_context(
        viewport={"width": wide, "height": high}, color_scheme=scheme, device_scale_factor=1
    )
    tab = context.new_page()
    tab.goto(page.resolve().as_uri())
    if top:
        tab.locator(top).first.evaluate("e => e.scrollIntoView()")
    tab.screenshot(path=picture)
    context.close()
    lighten(picture)


def print_out(browser: Browser, page: Path, picture: Path) -> None:
    """Save the first sheets of `page` as they are printed, side by side."""
    tab = browser.new_page()
    tab.goto(page.resolve().as_uri())
    with TemporaryDirectory() as folder:
        pdf = Path(folder) / "page.pdf"
        tab.pdf(path=pdf, prefer_css_page_size=True)
        subprocess.run(["pdftoppm", "-r", "72", "-png", pdf, pdf.with_suffix("")], check=True)
        sheets = [Image.open(each) for each in sorted(Path(folder).glob("*.png"))[:SHEETS]]
        wide, high = sheets[0].size
        side_by_side = Image.new("RGB", ((wide + 12) * len(sheets) - 12, high), "#9fabb8")
        for place, sheet in enumerate(sheets):
            side_by_side.paste(sheet, (place * (wide + 12), 0))
        side_by_side.save(picture)
    tab.close()
    lighten(picture)


def lighten(picture: Path) -> None:
    """Fewer colours: a third of the weight, and nobody sees it."""
    with Image.open(picture) as seen:
        seen.convert("RGB").quantize(
            COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
        ).save(picture, optimize=True)


if __name__ == "__main__":
    report = Path(sys.argv[1])
    (DOCS / "tour").mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for name, page, size, scheme, top in SEEN:
            photograph(browser, report / page, DOCS / name, size, scheme, top)
        for name, page in PRINTED.items():
            print_out(browser, sorted(report.glob(page))[0], DOCS / name)
        browser.close()
