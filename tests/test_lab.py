"""JupyterLab as an analyst meets it: a notebook is run, a slider moved, the figures follow."""

import os
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

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium on the path"),
]
CELLS = (
    "import salesnb\nfrom salesnb import explore",
    f"team = salesnb.load({str(ROOT / 'data/demo')!r})",
    "explore.rates(team)",
)
SECONDS = 90  # for a server or a kernel on a busy machine


@pytest.fixture
def lab(tmp_path):
    """A server of its own, on a free port of this machine, with one notebook to open."""
    cells = [nbformat.v4.new_code_cell(cell) for cell in CELLS]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), tmp_path / "rates.ipynb")
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    own = {name: str(tmp_path / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")}
    words = ["--no-browser", "--allow-root", "--IdentityProvider.token=", f"--port={port}"]
    words += ["--ServerApp.ip=127.0.0.1", "--ServerApp.port_retries=0"]
    command = [sys.executable, "-m", "jupyterlab", *words, f"--notebook-dir={tmp_path}"]
    log = (tmp_path / "lab.log").open("wb")
    server = subprocess.Popen(
        command, stdout=log, stderr=log, env=os.environ | own, start_new_session=True
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


def test_a_slider_is_moved_and_the_figures_follow(lab):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 1600})
        page.set_default_timeout(SECONDS * 1000)
        expect.set_options(timeout=SECONDS * 1000)
        page.goto(f"{lab}/lab/tree/rates.ipynb?reset")
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()  # or it asks for a kernel
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        headline = page.locator(".jp-OutputArea strong").first
        expect(headline).to_contain_text("'these rates' would have cost the same")
        slider = page.get_by_role("slider").first
        slider.focus()
        for _ in range(6):
            slider.press("ArrowRight")  # half a percent each
        expect(headline).to_contain_text("'these rates' would have cost €")
        browser.close()
