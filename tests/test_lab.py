"""JupyterLab as an analyst meets it: a notebook is run, somebody picked, and the figures follow."""

import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import suppress
from socket import create_server
from time import sleep

import nbformat
import pytest
from conftest import ROOT
from playwright.sync_api import expect, sync_playwright
from test_browser import FLAGS

from salesnb import metrics

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium on the path"),
]
RATES = (
    "import salesnb\nfrom salesnb import explore",
    'team = salesnb.load("../data/demo")',
    "explore.rates(team)",
)
SECONDS = 90  # for a server or a kernel on a busy machine


@pytest.fixture(scope="module")
def lab(small, tmp_path_factory):
    """`salesnb lab` on a free port of this machine, in a folder of its own."""
    folder = tmp_path_factory.mktemp("lab")
    small.save(folder / "data" / "demo")
    notebooks = folder / "notebooks"
    notebooks.mkdir()
    shutil.copy(ROOT / "notebooks" / "00_start_here.ipynb", notebooks)
    cells = [nbformat.v4.new_code_cell(cell) for cell in RATES]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(
        nbformat.v4.new_notebook(cells=cells, metadata=kernel), notebooks / "rates.ipynb"
    )
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    own = {name: str(folder / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")}
    words = ["--no-browser", "--allow-root", "--IdentityProvider.token=", f"--port={port}"]
    words += ["--ServerApp.ip=127.0.0.1", "--ServerApp.port_retries=0"]
    command = [sys.executable, "-c", "from salesnb.cli import main; main()", "lab", *words]
    path = {"PYTHONPATH": str(ROOT)}
    log = (folder / "lab.log").open("wb")
    server = subprocess.Popen(
        command,
        cwd=folder,
        stdout=log,
        stderr=log,
        env=os.environ | own | path,
        start_new_session=True,
    )
    try:
        yield _answering(f"http://127.0.0.1:{port}", server)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        server.wait()
        log.close()


def _answering(address: str, server: subprocess.Popen) -> str:
    for _ in range(SECONDS * 2):
        assert server.poll() is None, "JupyterLab did not start"
        with suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(f"{address}/api", timeout=5).close()
            return address
        sleep(0.5)
    raise AssertionError("JupyterLab did not answer")


@pytest.fixture(scope="module")
def browser():
    expect.set_options(timeout=SECONDS * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def opened(browser, address):
    """A notebook in JupyterLab, all its cells run."""
    page = browser.new_page(viewport={"width": 1280, "height": 1600})
    page.set_default_timeout(SECONDS * 1000)
    page.goto(address)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()  # or it asks for a kernel
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    return page


def test_a_slider_is_moved_and_the_figures_follow(lab, browser):
    page = opened(browser, f"{lab}/lab/tree/notebooks/rates.ipynb?reset")
    headline = page.locator(".jp-OutputArea strong").first
    expect(headline).to_contain_text("'these rates' would have cost the same")
    slider = page.get_by_role("slider").first
    slider.focus()
    for _ in range(6):
        slider.press("ArrowRight")  # half a percent each
    expect(headline).to_contain_text("'these rates' would have cost €")
    page.close()


def test_it_opens_at_the_first_notebook_where_a_rep_is_picked_and_rows_are_searched(
    lab, browser, small
):
    with urllib.request.urlopen(lab, timeout=SECONDS) as first:
        assert first.url.endswith("/lab/tree/notebooks/00_start_here.ipynb")
    page = opened(browser, f"{first.url}?reset")
    asked = page.locator(".jp-OutputArea", has=page.get_by_label("Known on")).last
    headline, picture = asked.locator("strong"), asked.locator("figure svg")
    expect(headline).to_contain_text("deals created in the 12 months")
    before = picture.inner_html()
    rep = max(small.names.values())
    asked.get_by_label("Rep", exact=True).select_option(rep)
    expect(headline).to_have_text(metrics.win_curve(small, rep=rep).headline)
    assert picture.inner_html() != before
    asked.get_by_label("Period").select_option("Jan to Mar 2026")
    expect(headline).to_contain_text("from 1 January 2026 to 31 March 2026")
    n = len(metrics.overview(small).rows(scope="team", metric="win_rate"))
    expect(page.get_by_text(f"All {n:,} rows", exact=True)).to_be_visible()
    search = page.get_by_placeholder("a name, a stage").first
    search.fill(f"{rep} cohort_win_rate")
    search.press("Enter")
    only_one = page.get_by_text(re.compile(r"^1 of [\d,]+ rows$"))
    expect(only_one).to_be_visible()
    found = page.locator(".jp-OutputArea", has=only_one).last
    expect(found.locator("tbody tr")).to_have_count(1)
    page.close()
