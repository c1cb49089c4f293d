"""A cluster on separate hosts: network namespaces that share a drive and nothing else."""

import os
import subprocess
from contextlib import ExitStack, contextmanager
from shutil import which

import pytest
from distributed import Client
from test_cluster import DASK, is_whole, running, wait_until
from test_report import save

from salesnb.report import batch
from salesnb.report.plan import plan

NET = "10.213"


def ip(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=True)


@contextmanager
def host(n):
    """A network of its own, joined to this one by a cable; gives its name."""
    name, ours, theirs = (f"{end}{n}-{os.getpid() % 10**6}" for end in ("host", "here", "there"))
    ip("netns", "add", name)
    try:
        ip("link", "add", ours[:15], "type", "veth", "peer", "name", theirs[:15], "netns", name)
        ip("addr", "add", f"{NET}.{n}.1/30", "dev", ours[:15])
        ip("link", "set", ours[:15], "up")
        ip("-n", name, "addr", "add", f"{NET}.{n}.2/30", "dev", theirs[:15])
        ip("-n", name, "link", "set", theirs[:15], "up")
        ip("-n", name, "link", "set", "lo", "up")
        yield name
    finally:
        ip("netns", "del", name)  # and with it both ends of the cable


@contextmanager
def two_hosts():
    if which("ip") is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("network namespaces need root and iproute2")
    with ExitStack() as made:
        try:
            names = [made.enter_context(host(n)) for n in (1, 2)]
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no network namespaces here: {error.stderr.strip()}")
        yield names


def test_pages_are_made_on_two_hosts(small, tmp_path):
    source = small.save(tmp_path / "team")
    log = tmp_path / "hosts.log"
    cell = (
        f"import os, time\nopen({str(log)!r}, 'a').write(os.readlink('/proc/self/ns/net') + '\\n')"
        "\ntime.sleep(1)\nprint('Page of', rep)"
    )
    save(tmp_path / "nb", "01_rep", (cell, ["summary"]), parameters='rep: str = ""  # who')
    planned = plan(source, tmp_path / "nb", tmp_path / "out")
    file = tmp_path / "scheduler.json"
    words = ["--no-dashboard", "--port", "0", "--host", "0.0.0.0", "--scheduler-file", str(file)]
    with two_hosts() as names, running(DASK, "scheduler", *words) as _, ExitStack() as workers:
        wait_until(lambda: file.exists() and file.read_text())
        with Client(scheduler_file=str(file), set_as_default=False) as client:
            port = client.scheduler_info()["address"].rpartition(":")[2]
            for n, name in enumerate(names, 1):
                there = [
                    "--no-nanny",
                    "--no-dashboard",
                    "--nthreads",
                    "1",
                    "--host",
                    f"{NET}.{n}.2",
                ]
                address = f"tcp://{NET}.{n}.1:{port}"
                command = ["ip", "netns", "exec", name, DASK, "worker", address, *there]
                workers.enter_context(running(*command))
            client.wait_for_workers(2, timeout=240)
        outcomes = batch.run(planned, batch.Options(dask=f"tcp://127.0.0.1:{port}"))
    is_whole(planned, outcomes)
    hosts = set(log.read_text().split())
    assert len(hosts) == 2
    assert os.readlink("/proc/self/ns/net") not in hosts  # noqa: PTH115 - it is no path
