"""How fast one-on-one pages are made, against other ways of making them.

Real pages: `04_one_on_one` on simulated teams of 24, 200 and 1,000 reps with 400 deals each. Each
way runs in processes of its own on a few reps a round, all ways in turn, so that what slows the
machine down slows all of them. Only POSIX: what processes take is read from Linux's ``/proc``.

    python benchmarks/batch.py                  # writes docs/batch_speed.md and .png
    python benchmarks/batch.py --quick --json   # one team, one round; prints only
"""

import json
import os
import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from batch_watch import Seen, watch
from batch_ways import NOTEBOOK, SPENT
from pages import DOCS, as_markdown, options, write

import salesnb
from salesnb import charts
from salesnb.report import standing
from salesnb.report.plan import plan

HERE = Path(__file__).parent
TEAMS = {24: 3, 200: 2, 1000: 1}  # reps, and rounds on a team of so many
DEALS = 400
OURS_PAGE = "*.manager.html"  # the second of two pages
OURS, OURS_1, CLI, SPAWN2, FLOOR = "salesnb", "salesnb, one worker", "cli", "spawn2", "floor"


PAGE = """# How fast are the pages made?

Written by `python benchmarks/batch.py`. The notebook `04_one_on_one` on teams of
`salesnb.simulate` with {deals} deals a rep; {cores} cores, all ways in turn, medians.
Rounds: {rounds}. A report is one rep's notebook, run and written: of `salesnb report` and of the
floor two pages, the rep's copy and the manager's; of the others one. The start is all that is paid
once: loading libraries and team, and what is worked out for the whole team. {lacking}

![Seconds per report](batch_speed.png)

{speed}

With its start `salesnb report` with two workers is {times_cli:.1f} times as fast as the command
line of papermill and nbconvert, and {times_spawn2:.1f} times as fast as two spawned processes
({times_spawn2_running:.1f} times once both run). With one worker it takes {cpu_over_floor:.2f}
times the floor's CPU. A report takes at most {flat:.2f} times as long as on the smallest team.
Pictures and tables of a page take {drawing_s:.2f} s of CPU.

{teams}

What is held is the proportional set size of the process all are forked from and of its children:
memory that several share is counted once. An unchanged run finds the pages of the whole team made
from the same data, and makes none.
"""


@dataclass(frozen=True)
class Way:
    """A way of making pages.

    n : reports a round; skip : the first of them, which still pay for the start
    most : reps of the largest team it is tried on
    page : what its files are called
    """

    name: str
    says: str
    n: int
    skip: int = 1
    workers: int = 1
    most: int = 1000
    page: str = "*.html"
    is_there: bool = True

    def command(self, data: Path, out: Path, reps: list[str]) -> list[str]:
        """What is started."""
        if self.name not in (OURS, OURS_1):
            program = [sys.executable, str(HERE / "batch_ways.py"), self.name]
            return [*program, str(data), str(out), *reps]
        asked = [word for rep in reps for word in ("--rep", rep)]
        return _report(data, out, "--workers", str(self.workers), *asked)


HAS_PLOOMBER, HAS_QUARTO = bool(find_spec("ploomber_engine")), bool(shutil.which("quarto"))
WAYS = (
    Way(CLI, "papermill, then nbconvert, from the command line", n=2, skip=0, most=200),
    Way("api", "papermill in a loop, exporter reused", n=3, most=24),
    Way(SPAWN2, "the same in two spawned processes", n=5, skip=2, workers=2, most=200),
    Way("ploomber", "ploomber-engine in a loop", n=3, most=24, is_there=HAS_PLOOMBER),
    Way("quarto", "quarto render", n=2, skip=0, most=24, is_there=HAS_QUARTO),
    Way(FLOOR, "floor: the same statements, no notebook, one process", n=6, page=OURS_PAGE),
    Way(OURS_1, "salesnb report, one worker", n=9, skip=3, page=OURS_PAGE),
    Way(OURS, "salesnb report, two workers", n=17, skip=6, workers=2, page=OURS_PAGE),
)  # fmt: skip


def _report(data: Path, out: Path, *more: str) -> list[str]:
    asked = ["report", str(data), "--notebook", "one_on_one", "--notebooks", str(NOTEBOOK.parent)]
    program = [sys.executable, "-c", "from salesnb.cli import main; main()", *asked]
    return [*program, "--output", str(out), *more]


@dataclass
class Team:
    """A simulated team in a folder, and whom its pages are about."""

    n: int
    folder: Path

    @property
    def reps(self) -> list[str]:
        """Who has a page."""
        reps = pd.read_parquet(self.folder / "reps.parquet")
        return [*reps.loc[reps["left_on"].isna(), "rep_id"]]


def measure(
    teams: list[Team], rounds: dict[int, int], aside: Path
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A line for each run of each way, and one for each report of the floor."""
    lines, drawn = [], []
    for number in range(max(rounds.values())):
        for team in teams:
            for way in WAYS:
                if not way.is_there or team.n > way.most or number >= rounds[team.n]:
                    continue
                out = aside / f"{way.name}-{team.n}-{number}"
                first = number * way.n % max(1, len(team.reps) - way.n)
                reps = team.reps[first : first + way.n]
                seen = watch(way.command(team.folder, out, reps), out, way.page)
                lines.append(_line(team, way, seen))
                print(number, *lines[-1].values(), file=sys.stderr)
                if way.name == FLOOR:
                    spent = json.loads((out / SPENT).read_text())[way.skip :]
                    drawn += [{"reps": team.n, **each} for each in spent]
    return pd.DataFrame(lines), pd.DataFrame(drawn)


def _line(team: Team, way: Way, seen: Seen) -> dict[str, float | str]:
    each, cpu = seen.steady(way.skip, way.workers)
    start = max(0.0, ([(0.0, 0.0), *seen.at][way.skip][0]) - way.skip * each)
    return {
        "reps": team.n,
        "way": way.name,
        "start": start,
        "seconds": each,
        "cpu": cpu,
        "with_start": each + start / team.n,
    }


def weighed(team: Team, aside: Path) -> float:
    """MiB that the nursery and its children hold together at most, with two workers."""
    out, way = aside / f"weighed-{team.n}", WAYS[-1]
    return watch(way.command(team.folder, out, team.reps[: way.n]), out, way.page, True).pss


def unchanged(team: Team, aside: Path) -> Seen:
    """The run after a run: every page stands, so none is made.

    The pages stand in: one real page, each time with the fingerprint that another would have.
    """
    out = aside / f"unchanged-{team.n}"
    planned = plan(team.folder, NOTEBOOK.parent, out, only=["one_on_one"])
    (model, *_) = planned.jobs
    watch(_report(team.folder, out, "--rep", model.values["rep"]), out, OURS_PAGE)
    texts = {
        name.endswith(".manager.html"): (planned.folder / name).read_text(encoding="utf-8")
        for name in model.pages
    }
    for job in planned.jobs:
        for name in job.pages:
            html = texts[name.endswith(".manager.html")].replace(model.inputs, job.inputs)
            (planned.folder / name).write_text(html, encoding="utf-8")
    watch(_report(team.folder, out), out, OURS_PAGE)  # finds that all stand, and says so
    seen = watch(_report(team.folder, out), out, OURS_PAGE)
    told = json.loads((planned.folder / standing.FILE).read_text(encoding="utf-8"))
    assert told[standing.UNCHANGED] == len(planned.jobs), "pages were made again"
    return seen


@dataclass
class Found:
    """What was measured: a line per run and per report of the floor, MiB held, runs after runs."""

    runs: pd.DataFrame
    drawn: pd.DataFrame
    held: dict[int, float]
    again: dict[int, Seen]

    @property
    def table(self) -> pd.DataFrame:
        """The medians of each way on each team."""
        said = {way.name: way.says for way in WAYS}
        middle = self.runs.groupby(["reps", "way"], sort=False).median().reset_index()
        return middle.assign(says=middle["way"].map(said))

    def of(self, name: str, column: str) -> pd.Series:
        """A column of a way, by the size of the team."""
        table = self.table
        return table[table["way"] == name].set_index("reps")[column]

    def figures(self) -> dict[str, float]:
        """What the targets are about; ratios from the largest team that all ways were tried on."""
        largest = max(self.of(CLI, "seconds").index)
        ours = self.of(OURS, "with_start")
        ratios = {
            "times_cli": self.of(CLI, "with_start")[largest] / ours[largest],
            "times_spawn2": self.of(SPAWN2, "with_start")[largest] / ours[largest],
            "times_spawn2_running": (
                self.of(SPAWN2, "seconds")[largest] / self.of(OURS, "seconds")[largest]
            ),
            "cpu_over_floor": (self.of(OURS_1, "cpu") / self.of(FLOOR, "cpu")).max(),
            "flat": (self.of(OURS, "seconds") / self.of(OURS, "seconds").iloc[0]).max(),
            "drawing_s": self.drawn["shown"].median(),
            "pss_mb": max(self.held.values()),
            "unchanged_s": max(seen.seconds for seen in self.again.values()),
        }
        return {name: round(float(value), 3) for name, value in ratios.items()}

    def text(self) -> str:
        """The page."""
        named = {
            "reps": "reps", "says": "way", "seconds": "s per report", "cpu": "CPU s per report",
            "start": "start, s", "with_start": "s per report with the start",
        }  # fmt: skip
        speed = self.table[[*named]].rename(columns=named)
        teams = pd.DataFrame(
            {
                "reps": [*self.held],
                "deals": [n * DEALS for n in self.held],
                "MiB held by two workers": [*self.held.values()],
                "unchanged run, s": [seen.seconds for seen in self.again.values()],
                "its CPU s": [seen.cpu for seen in self.again.values()],
            }
        )
        lacking = [f"{way.name} is not installed here." for way in WAYS if not way.is_there]
        figures = self.figures()
        return PAGE.format(
            deals=DEALS, rounds=", ".join(f"{n} on {reps:,} reps" for reps, n in TEAMS.items()),
            speed=as_markdown(speed), teams=as_markdown(teams, digits=1),
            lacking=" ".join(lacking), cores=os.cpu_count(), **figures,
        )  # fmt: skip

    def write(self) -> None:
        """Write the page and its picture."""
        write("batch_speed.md", self.text())
        axes = charts.new_axes(7, 3.2)
        of_team = self.table[self.table["reps"] == max(self.of(CLI, "seconds").index)]
        of_team = of_team.sort_values("seconds")
        axes.barh(of_team["says"], of_team["seconds"], color=charts.ACCENT)
        axes.set_xlabel(f"seconds per report, {of_team['reps'].iloc[0]} reps")
        axes.figure.savefig(DOCS / "batch_speed.png", dpi=120)


def main() -> None:
    """Measure, and write or print what was found."""
    asked = options(__doc__, flags=("quick", "json"))
    rounds = {min(TEAMS): 1} if asked.quick else TEAMS
    with TemporaryDirectory() as folder:
        aside = Path(folder)
        teams = []
        for n in rounds:
            made, _ = salesnb.simulate(seed=n, reps=n, deals_per_rep=DEALS)
            teams.append(Team(n, made.save(aside / f"team-{n}")))
        runs, drawn = measure(teams, rounds, aside)
        held = {team.n: weighed(team, aside) for team in teams}
        again = {team.n: unchanged(team, aside) for team in teams}
    found = Found(runs, drawn, held, again)
    print(found.text()) if asked.quick else found.write()
    if asked.json:
        print(json.dumps(found.figures()))


if __name__ == "__main__":
    main()
