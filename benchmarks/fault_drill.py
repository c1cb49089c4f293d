"""A run of many reports led through every fault: is each report accounted for in the end?

Twenty of the processes that make the pages are killed, one hangs, one asks for too much memory.
The run is killed and started again, then its disk takes no more; then it is started a last time.

    python benchmarks/fault_drill.py            # 200 reports, writes docs/fault_drill.md
    python benchmarks/fault_drill.py --quick    # 16 reports, prints only
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
import pandas as pd
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from pages import as_markdown, options, write

from salesnb import team
from salesnb.settings import Settings

AS_OF = "2026-06-30"
COMMAND = [sys.executable, "-c", "from salesnb.cli import main; main()", "report"]
MEMORY = 400  # MiB
PAGES = ("{}.html", "{}.manager.html")
CELLS = {
    "parameters": 'data: str = ""  # the team\nrep: str = ""  # who',
    "load": "import os, time, salesnb\nteam = salesnb.load(data)",
    "begun": "log = open(os.environ['DRILL_LOG'], 'a+')\n"
    "is_first = log.seek(0) or f'{rep}\\n' not in log.readlines()\n"
    "print(rep, file=log, flush=True)",
    "killed": "if rep.startswith('killed') and is_first: os.kill(os.getpid(), 9)",
    "hangs": "if rep == 'hangs': time.sleep(600)",
    "hogs": "if rep == 'hogs': held = bytearray(2**30)",
    "summary": "print('said', rep)",
}


@dataclass(frozen=True)
class Drill:
    """A team's folder, the notebook's and the pages', and the limits of the run."""

    folder: Path
    reps: tuple[str, ...]
    n_killed: int
    seconds: float

    @property
    def day(self) -> Path:
        """Where the pages are."""
        return self.folder / "pages" / AS_OF

    @property
    def log(self) -> Path:
        """Where each report says that it has begun."""
        return self.folder / "log"


def prepared(folder: Path, n: int, n_killed: int, seconds: float) -> Drill:
    """The team and the notebook of a drill of `n` reports."""
    fine = n - n_killed - 2
    reps = ["hangs", "hogs", *(f"killed{i:03}" for i in range(n_killed))]
    reps += [f"fine{i:03}" for i in range(fine)]
    deals = pd.DataFrame({"rep_id": reps, "deal_id": [f"D{i}" for i in range(n)]})
    tables = {
        "reps": pd.DataFrame({"rep_id": reps, "name": reps}),
        "deals": deals.assign(created_on="2026-01-01", amount="100"),
    }
    settings = Settings(as_of=pd.Timestamp(AS_OF), stages=("A", "B"))
    team.of(settings, tables).save(folder / "team")
    tags = ("parameters", "summary")
    cells = [
        new_code_cell(source, metadata={"tags": [name] if name in tags else []})
        for name, source in CELLS.items()
    ]
    spec = {"kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}}
    (folder / "nb").mkdir()
    notebook = new_notebook(cells=[new_markdown_cell("# Drill"), *cells], metadata=spec)
    nbformat.write(notebook, folder / "nb" / "drill.ipynb")
    return Drill(folder, tuple(reps), n_killed, seconds)


# What is done to the run


def begun(drill: Drill) -> subprocess.Popen:
    """The run, as anybody starts it."""
    where = ["--notebooks", drill.folder / "nb", "--output", drill.folder / "pages"]
    limits = ["--time-limit", drill.seconds, "--memory-limit", MEMORY, "--workers", 2]
    command = [*COMMAND, drill.folder / "team", *where, *limits, "--no-cache"]
    env = os.environ | {"DRILL_LOG": str(drill.log)}
    return subprocess.Popen([str(each) for each in command], env=env, stderr=subprocess.DEVNULL)


def standing(drill: Drill) -> dict[str, int]:
    """The pages of every report that has all of its pages, with their last change."""
    there = {path.name: path.stat().st_mtime_ns for path in drill.day.glob("drill/*.html")}
    names = [[page.format(rep) for page in PAGES] for rep in drill.reps]
    return {name: there[name] for own in names if there.keys() >= set(own) for name in own}


def until(drill: Drill, share: float, run: subprocess.Popen) -> None:
    """Wait for a share of all pages; an error if the run ends before."""
    while len(standing(drill)) < share * len(drill.reps) * len(PAGES):
        if run.poll() is not None:
            raise SystemExit(f"The run ended too early, with {run.returncode}.")
        time.sleep(0.02)


def nothing_more_to_write(run: subprocess.Popen) -> None:
    """Let every write of a run fail from now on, as on a disk that is full."""
    import resource

    children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
    for pid in (run.pid, *map(int, children)):  # of which those to come inherit it
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (100, 100))


def led_through(drill: Drill) -> list[tuple[str, str, bool]]:
    """The three runs, and what was seen between them: what, how, and whether it is as it should."""
    run = begun(drill)
    until(drill, 0.3, run)
    run.kill()
    run.wait()
    time.sleep(0.5)  # its children end with it
    first = standing(drill)

    run = begun(drill)
    until(drill, 0.6, run)
    nothing_more_to_write(run)
    full = run.wait()
    second = standing(drill)

    run = begun(drill)
    last = run.wait()
    third = standing(drill)
    is_once = first.items() <= second.items() <= third.items()
    stood = f"{len(first)}, then {len(second)} of {len(third)} pages stood"
    return [
        ("1 run killed and started again", stood, is_once),
        ("1 disk that takes no more", f"the run ended with {full}", full in (1, 3)),
        ("then started again", f"ended with {last}, for two reports failed", last == 1),
    ]


# What has become of each


def accounted(drill: Drill) -> list[tuple[str, str, bool]]:
    """What is said of the reports in the end."""
    run = json.loads((drill.day / "run.json").read_text())
    index = (drill.day / "index.html").read_text()
    said = {each["rep"]: each for each in run["reports"]}
    there = {rep for rep, each in said.items() if each["status"] in ("made", "unchanged")}
    whole = {rep for rep in drill.reps if all(is_whole(drill, page, rep) for page in PAGES)}
    listed = {rep for rep in drill.reps if f'href="drill/{rep}.html"' in index}
    times = Counter(drill.log.read_text().split())
    killed = {rep for rep in drill.reps if rep.startswith("killed")}
    files = {path for path in drill.day.rglob("*") if path.is_file()}
    fine = set(drill.reps) - {"hangs", "hogs"}
    n_left = len(files) - len(whole) * len(PAGES) - 2
    hangs, hogs = said["hangs"]["error"], said["hogs"]["error"]
    return [
        (f"{len(killed)} children killed", f"{len(killed & whole)} made at another try",
         killed <= whole and min(times[rep] for rep in killed) > 1),
        ("1 hanging cell", first_line(hangs), "time.sleep(600)" in hangs and hangs in plain(index)),
        ("1 memory hog", first_line(hogs), "bytearray" in hogs and hogs in plain(index)),
        (f"{len(drill.reps)} reports", f"{len(whole)} made, {run['failed']} named on the index",
         set(said) == set(drill.reps) and whole == there == listed == fine
         and run["failed"] == 2 and run["is_over"]),
        ("files left behind", str(n_left), n_left == 0),
    ]  # fmt: skip


def is_whole(drill: Drill, page: str, rep: str) -> bool:
    """Whether a page is there from its beginning to its end."""
    path = drill.day / "drill" / page.format(rep)
    return path.exists() and path.read_text().rstrip().endswith("</html>") and rep in path.name


def plain(html: str) -> str:
    """What a reader sees of quotation marks."""
    return html.replace("&#39;", "'").replace("&#34;", '"')


def first_line(text: str) -> str:
    """Of an error, what it is."""
    return text.partition("\n")[0]


def main() -> None:
    """Lead a run through it all; ends with 1 if anything is unaccounted for."""
    is_quick = options(__doc__, flags=("quick",)).quick
    n, n_killed, seconds = (16, 3, 5) if is_quick else (200, 20, 15)
    with TemporaryDirectory() as folder:
        drill = prepared(Path(folder), n, n_killed, seconds)
        found = [*led_through(drill), *accounted(drill)]
    rows = [(what, how, "yes" if is_so else "NO") for what, how, is_so in found]
    table = as_markdown(pd.DataFrame(rows, columns=["fault", "what became of it", "as it should"]))
    print(table)
    if not all(is_so for *_, is_so in found):
        raise SystemExit("Something is unaccounted for.")
    if not is_quick:
        write("fault_drill.md", TEXT.format(n=n, table=table, memory=MEMORY, seconds=seconds))


TEXT = """# A batch through every fault

Written by `python benchmarks/fault_drill.py`: {n} reports, two at a time, {seconds} seconds and
{memory} MiB each at most. Some are killed at their first try. The run is killed with -9 when three
tenths of the pages stand, and started again; at six tenths every write begins to fail (a limit of
the size of files, which anybody may set, in the place of a full disk), until it ends; then it is
started a last time.

{table}

- A page that stood was not made again: its time of change is the same in the end.
- A report whose process is killed is tried three times; one that fails by itself is not tried
  again, but named on the index with the cell it was in.
- Every page is whole, on the index and in `run.json`.
"""

if __name__ == "__main__":
    main()
