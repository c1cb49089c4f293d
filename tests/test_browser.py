"""The pages as people meet them: at a desk, on a phone, on paper, with odd names."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import conftest
import nbformat
import pandas as pd
import pytest
from conftest import ROOT
from inprocess import pages
from playwright.sync_api import sync_playwright
from test_display import HOSTILE, Seen

from salesnb import cli, logbook, notes
from salesnb.finding import Finding
from salesnb.report.page import Sheet, render

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium on the path"),
]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
FLAGS += ["--disable-background-networking", "--disable-component-update"]
SCREENS = {"desk": (1280, 900), "phone": (390, 844)}
each_screen = pytest.mark.parametrize("screen", SCREENS)
AGREED = "<img src=x onerror=alert(2)> & {{8*8}}"
BACK = ("a", "back")  # what leads to the index
TEAM_PAGES = 10  # every notebook but the one-on-one
REPS = conftest.REPS[:3]  # one with many deals, one with few, one who has just started
LISTEN = (
    """addEventListener('securitypolicyviolation', e => console.log(`refused ${e.blockedURI}`))"""
)
NO_STORE = "Object.defineProperty(window, 'localStorage', { get() { throw new Error('no') } })"
FULL_STORE = (
    """Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError') }"""
)
TYPED = {
    "strength": "Listens before she asks",
    "diagnosis": "árvíztűrő tükörfúrógép",
    "agreement": """He said "no" & 'never' <script>alert(1)</script>\n\n  – and then 😀🤝""",
    "commitment": "ŐSZI " + "tükörfúrógép 😀 " * 624 + "VÉGE",
}
CHOSEN = {"held_on": "2026-07-08", "kind": "ride_along", "minutes": "45", "topic": "Demo"}
CHOSEN |= {"reason": "unclear", "due_on": "2026-07-22"}


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(demo_report):
    """The index of the demo's report; beside it the cards and the sheets of ride-alongs."""
    words = [str(ROOT / "data/demo"), "--output", str(demo_report.parents[1])]
    if not (demo_report.parent / "cards.html").exists():
        cli.app(["ride-alongs", *words], standalone_mode=False)
        cli.app(["cards", *words], standalone_mode=False)
    return demo_report


@pytest.fixture(scope="module")
def odd(small, tmp_path_factory):
    """The one-on-one pages of a team whose reps have hostile names."""
    folder = tmp_path_factory.mktemp("odd")
    reps = small.reps.assign(name=[*HOSTILE, *small.reps["name"]][: len(small.reps)])
    products = small.products.assign(name=HOSTILE[0])
    coaching = small.coaching.assign(commitment=AGREED, strength=AGREED)
    tables = {**small.tables, "reps": reps, "products": products, "coaching": coaching}
    source = replace(small, tables=tables).save(folder / "team")
    chosen = reps["rep_id"].head(3)
    made, _ = pages(source, folder, reps=chosen, only=["one_on_one"])
    names = dict(zip(reps["rep_id"], reps["name"], strict=True))
    return {path: names[path.name.split(".")[0]] for path in made}, reps


@pytest.fixture
def visit(browser):
    """Open a page at a size; afterwards nothing may have been asked for, said or refused."""
    contexts, troubles = [], []

    def open_page(path, screen="desk", beside=None, before="", **options):
        width, height = SCREENS[screen]
        size = {"width": width, "height": height}
        context = beside.context if beside else browser.new_context(viewport=size, **options)
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(LISTEN + ";" + before)
        page.on("console", lambda said: troubles.append(said.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("dialog", lambda dialog: troubles.append(dialog.message))
        page.on("request", lambda r: troubles.append(r.url) if not is_own(r.url, path) else None)
        page.goto(Path(path).as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not troubles


def is_own(url, path):
    return url.startswith("data:") or url.split("#")[0] == Path(path).as_uri()


def everything(report):
    """The pages of the team, those of a few reps, and a sheet of a ride-along."""
    pages = [*report.parent.glob("*.html"), *sorted(report.parent.glob("ride_alongs/*.html"))[:1]]
    return pages + [page for rep in REPS for page in report.parent.glob(f"one_on_one/{rep}.*html")]


def test_the_report_is_whole(report):
    names = {str(path.relative_to(report.parent)) for path in everything(report)}
    wanted = {"index.html", "00_start_here.html", "02_funnel.html"}
    wanted |= {f"one_on_one/{rep}{copy}.html" for rep in REPS for copy in ("", ".manager")}
    assert wanted <= names
    assert "could not be made" not in report.read_text()


# Of each picture its words, its role, and how many pixels a unit of it takes on the screen.
PICTURES = """[...document.querySelectorAll('svg, img')].map(p => [
    p.getAttribute('aria-label') || p.getAttribute('alt'), p.getAttribute('role'),
    p.matches('figure svg') ? p.getBoundingClientRect().width / p.viewBox.baseVal.width : 1])"""


@each_screen
def test_nothing_sticks_out_is_fetched_or_cannot_be_read(report, visit, screen):
    """Every page, opened once on each screen."""
    for path in everything(report):
        page = visit(path, screen)
        assert width(page) <= SCREENS[screen][0], path
        for words, role, scale in page.evaluate(PICTURES):
            assert words, path
            assert role == "img"
            is_legible = scale * 9 >= 8
            assert is_legible or screen != "phone", "nine points shrunk below eight pixels"
        # Opened folds must not push anything out either.
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
        assert width(page) <= SCREENS[screen][0], path


def width(page):
    return page.evaluate("document.documentElement.scrollWidth")


def test_one_on_ones_fit_on_two_sheets(report, visit):
    for path in everything(report):
        if path.parent.name != "one_on_one":
            continue
        assert sheets(visit(path)) <= 2, path


def test_no_heading_stands_alone_at_the_foot_of_a_sheet(visit, tmp_path):
    """Nor with its first words alone: they go to the next sheet with the answer."""
    rows = Finding("What was found.", pd.DataFrame({"word": [*"abcdefgh"]}))
    html = nbformat.v4.new_output("display_data", {"text/html": rows._repr_html_()})
    cells = [
        nbformat.v4.new_markdown_cell("# Page"),
        nbformat.v4.new_markdown_cell("## Which?\n\n" + "Words on how to read it. " * 12),
        nbformat.v4.new_code_cell("found", outputs=[html]),
    ]
    made = render(nbformat.v4.new_notebook(cells=cells), Sheet("", "30 June", "Team", {}))
    path = tmp_path / "page.html"
    path.write_text(made)
    page, before = visit(path), "document.querySelector('main').style.paddingTop"
    is_there = set()
    for millimetres in range(200, 272, 8):
        page.evaluate(f"{before} = '{millimetres}mm'")
        first = printed(page, tmp_path).split("\f")[0]
        is_there.add("Which?" in first)
        assert "Which?" not in first or "What was found." in first, millimetres
    assert is_there == {True, False}, "it did go over from one sheet to the next"


def sheets(page):
    pdf = page.pdf(prefer_css_page_size=True)
    return max(int(count) for count in re.findall(rb"/Count (\d+)", pdf))


def test_the_index_leads_there_and_back(report, visit):
    page = visit(report)
    links = page.locator("main a").all()
    to_sections = [link for link in links if "#" in link.get_attribute("href")]
    assert len(links) - len(to_sections) == TEAM_PAGES + 2 * len(conftest.REPS)
    assert 1 <= sum(link.is_visible() for link in to_sections) <= 5, "the rest is folded"
    for link in links:
        name, _, section = link.get_attribute("href").partition("#")
        target = report.parent / name
        assert not section or f'id="{section}"' in target.read_text()
        back = [a for tag, a in Seen(target.read_text()).tags if (tag, a.get("class")) == BACK]
        is_reps = target.parent.name == "one_on_one" and ".manager" not in target.name
        assert len(back) == (0 if is_reps else 1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_the_paper(report, visit, scheme):
    script = """() => {
        const seen = new Set()
        for (const e of document.querySelectorAll('body *')) {
            const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())
            if (!own || !e.checkVisibility()) continue
            const style = getComputedStyle(e)
            seen.add(e instanceof SVGElement ? style.fill : style.color)
        }
        return [getComputedStyle(document.documentElement).backgroundColor, ...seen]
    }"""
    for name in ("index.html", "02_funnel.html", "one_on_one/R01.manager.html"):
        page = visit(report.parent / name, color_scheme=scheme)
        paper, *inks = page.evaluate(script)
        for ink in inks:
            assert contrast(ink, paper) >= 4.5, f"{ink} on {paper} in {name}"


def contrast(one, other):
    """The contrast ratio of WCAG 2."""
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def luminance(colour):
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
IN_VIEW = {"exclude": [["figure svg g"]]}  # a picture is one image, its words are looked at below


def axe(page, **options):
    """What axe-core finds amiss on a page, its folds opened."""
    found = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    found = found.run(page, context=IN_VIEW, options={"resultTypes": ["violations"], **options})
    return found.generate_report() if found.violations_count else ""


def kinds(report):
    """A page of each kind: those of the team, both copies of a one-on-one, cards, a sheet."""
    return [path for path in everything(report) if path.name[:3] not in REPS[1:]]


def test_nothing_is_in_the_way_of_screen_readers(report, visit):
    """WCAG 2.2 AA as far as axe-core can tell, on every kind of page."""
    for path in kinds(report):
        page = visit(path)
        assert not axe(page, runOnly=WCAG), path.name
        page.emulate_media(color_scheme="dark")
        assert not axe(page, runOnly={"type": "rule", "values": ["color-contrast"]}), path.name


def test_a_table_is_put_in_order_and_sifted(report, visit):
    page = visit(report.parent / "02_funnel.html")
    fold = page.locator("details", has=page.locator("summary", has_text="The numbers")).last
    page.locator("summary", has_text="115 rows").click()
    table = page.locator("table", has_text="Advance rate").first
    cells = table.locator("td[headers$='-n-visits']")
    as_written = cells.all_inner_texts()
    button = table.get_by_role("button", name="n visits")
    button.focus()
    page.keyboard.press("Enter")
    number = [int(words.replace(",", "")) for words in cells.all_inner_texts()]
    assert number == sorted(number) and len(number) > 8
    page.keyboard.press("Enter")
    assert table.locator("th[aria-sort=descending]").count() == 1
    page.keyboard.press("Enter")
    assert cells.all_inner_texts() == as_written
    assert fold.count() == 1


def test_names_are_sifted_on_the_index(report, visit):
    page = visit(report)
    page.get_by_label("Rows with the word").fill("kate\u0159ina")
    assert page.locator(".people tbody tr:visible").count() == 1
    assert page.locator(".sift output").inner_text() == f"1 of {len(conftest.REPS)}"


def test_sections_fold_by_keyboard_and_are_open_on_paper(report, visit):
    page = visit(report.parent / "02_funnel.html")
    first = page.locator(".fold").first
    first.locator("> summary").focus()
    page.keyboard.press("Enter")
    assert not first.locator(".inside").is_visible()
    page.emulate_media(media="print")
    assert first.locator(".inside").is_visible()


def test_the_keyboard_gets_past_the_head_of_a_page(report, visit):
    page = visit(report.parent / "one_on_one" / "R01.manager.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"


def test_what_to_listen_for_is_folded_away(report, visit):
    page = visit(report.parent / "one_on_one" / "R01.manager.html")
    fold = page.locator("details.manager", has_text="isten for")
    table = fold.locator("table")
    assert not table.is_visible()
    fold.locator("summary").click()
    assert table.is_visible()
    assert "isten for" in fold.inner_text()


def test_on_paper_what_to_listen_for_is_seen_and_nothing_is_said_twice(report, visit):
    page = visit(report.parent / "one_on_one" / "R01.manager.html")
    page.emulate_media(media="print")
    assert page.locator("details.manager table", has_text="isten for").is_visible()
    assert not page.locator(".notes-below").is_visible()
    assert not page.locator(".kicker").inner_text().strip().endswith("·")
    page = visit(report.parent / "one_on_one" / "R01.html")
    page.emulate_media(media="print")
    assert page.locator(".notes-below table").is_visible()


def test_the_index_on_paper_is_as_wide_as_the_sheet(report, visit):
    page = visit(report)
    assert sheets(page) == 1
    page.emulate_media(media="print")
    wide = page.locator("main").bounding_box()["width"]
    sections = page.locator("main > section").all()
    assert [section.bounding_box()["width"] for section in sections] == [wide] * 3


@each_screen
def test_odd_names_are_shown_as_they_are(odd, visit, screen):
    named, _ = odd
    for path, name in named.items():
        page = visit(path, screen)
        assert name in page.locator("h1").inner_text()
        assert name in page.title()
        assert width(page) <= SCREENS[screen][0]
        assert (page.locator("script").count(), page.locator("body img").count()) == (1, 0)
        assert AGREED in page.locator("main").inner_text()


def test_odd_pages_fit_on_two_sheets(odd, visit):
    named, _ = odd
    assert all(sheets(visit(path)) <= 2 for path in named)


# What is written on the page


@pytest.fixture
def copies(report, visit):
    """Both copies of one page, side by side in one browser."""
    reps = visit(report.parent / "one_on_one" / "R01.html")
    return reps, visit(report.parent / "one_on_one" / "R01.manager.html", beside=reps)


def field(page, name):
    return page.locator(f"[data-field={name}]")


def values(page):
    return {name: field(page, name).input_value() for name in {**CHOSEN, **TYPED}}


def write(page):
    for name in ("kind", "reason"):
        field(page, name).select_option(CHOSEN[name])
    for name, text in {**CHOSEN, **TYPED}.items():
        if name not in ("kind", "reason"):
            field(page, name).fill(text)
    page.locator("[data-done]").first.fill("2026-07-07")


def download(page, folder):
    with page.expect_download() as found:
        page.get_by_role("button", name="Download").click()
    name = found.value.suggested_filename
    found.value.save_as(folder / name)
    return folder / name


def test_from_the_page_through_the_data_to_the_next_page(copies, visit, demo, tmp_path):
    reps, managers = copies
    write(reps)
    managers.wait_for_function("document.querySelector('[data-field=due_on]').value")
    assert values(managers) == values(reps) == {**CHOSEN, **TYPED}, "one copy follows the other"
    managers.reload()
    assert values(managers) == {**CHOSEN, **TYPED}
    assert managers.locator("[data-done]").first.input_value() == "2026-07-07"
    assert on_paper(managers, tmp_path) == on_paper(reps, tmp_path) == 625

    file = download(managers, tmp_path)
    assert file.name == "notes-R01-2026-06-30.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    assert content["fields"] == {**CHOSEN, **TYPED}
    assert (content["data"], content["name"]) == (demo.fingerprint, demo.names["R01"])
    session = content["session_id"]
    assert json.loads(download(reps, tmp_path).read_text())["session_id"] == session
    source = shutil.copytree(ROOT / "data" / "demo", tmp_path / "demo")
    (entry,) = logbook.log([file], source)
    assert entry.is_new
    assert len(entry.done) == 1

    for path in pages(source, tmp_path / "next", reps=["R01"], only=["one_on_one"])[0]:
        page = visit(path)
        opening = page.locator("section").first
        assert "Last time, on 8 July 2026" in opening.inner_text()
        assert all(" ".join(text.split()) in said(opening) for text in TYPED.values())
        assert page.locator("body script").count() == 1
        long = opening.locator("details.long")
        assert long.bounding_box()["height"] < 120
        long.locator("summary").click()
        assert long.bounding_box()["height"] > 1000
        assert session in {
            day.get_attribute("data-done") for day in page.locator("[data-done]").all()
        }


def said(place):
    return " ".join(place.text_content().split())


def printed(page, folder):
    """The words of each sheet, a form feed after each."""
    file = folder / "page.pdf"
    page.pdf(path=file, prefer_css_page_size=True)
    command = ["pdftotext", "-raw", str(file), "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout.decode()


def on_paper(page, folder):
    """How often the long word is printed; all the other words have to be there too."""
    text = " ".join(printed(page, folder).split())
    assert "VÉGE" in text
    assert "Ride-along" in text
    assert "2026-07-22" in text
    for name in ("strength", "diagnosis"):
        assert TYPED[name] in text
    assert "<script>alert(1)</script>" in text
    return text.count("tükörfúrógép")


def test_what_is_lacking_is_asked_for_before_the_download(copies):
    page, _ = copies
    field(page, "topic").fill("Demo")
    page.get_by_role("button", name="Download").click()
    assert page.evaluate("document.activeElement.id") == "note-held_on"
    field(page, "held_on").fill("2026-07-08")
    field(page, "due_on").fill("2026-07-07")
    page.get_by_role("button", name="Download").click()
    assert page.evaluate("document.activeElement.id") == "note-due_on"


def test_starting_anew_asks_and_clears_both_copies(copies):
    reps, managers = copies
    field(reps, "topic").fill("Demo")
    managers.wait_for_function("document.querySelector('[data-field=topic]').value")
    anew = managers.get_by_role("button", name="Start anew")
    anew.click()
    managers.keyboard.press("Escape")
    assert field(managers, "topic").input_value() == "Demo"
    anew.click()
    managers.get_by_role("button", name="Clear it").click()
    reps.wait_for_function("!document.querySelector('[data-field=topic]').value")
    assert field(managers, "topic").input_value() == ""
    assert field(reps, "kind").input_value() == "one_on_one"


@pytest.mark.parametrize("store", [NO_STORE, FULL_STORE], ids=["no store", "full store"])
def test_a_browser_that_keeps_nothing_says_so_and_goes_on(report, visit, tmp_path, store, demo):
    page = visit(report.parent / "one_on_one" / "R02.html", before=store)
    write(page)
    assert "does not keep what you write" in page.get_by_role("status").inner_text()
    content = notes.read(download(page, tmp_path), demo)
    assert content.fields["agreement"] == TYPED["agreement"]
    page.get_by_role("button", name="Start anew").click()
    page.get_by_role("button", name="Clear it").click()
    assert field(page, "agreement").input_value() == ""


def test_pages_of_other_reps_keep_to_themselves(report, visit, copies):
    reps, _ = copies
    field(reps, "topic").fill("Demo")
    other = visit(report.parent / "one_on_one" / "R02.html", beside=reps)
    assert field(other, "topic").input_value() == ""


@each_screen
def test_the_form_can_be_walked_by_keyboard(report, visit, screen):
    page = visit(report.parent / "one_on_one" / "R01.html", screen)
    page.locator("#note-held_on").focus()
    met = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        met.add(page.evaluate("document.activeElement.id"))
    wanted = {f"note-{name}" for name in {**CHOSEN, **TYPED}} | {"note-download", "note-anew"}
    assert wanted <= met
    for name in ("Held on", "What do we agree?", "Where does the rep see the cause?"):
        assert page.get_by_label(name).last.is_visible()
