"""How long it takes to load some reps of a large company from Parquet files, and how much memory.

One simulated team is written again and again under other ids until there are so many million stage
changes; then slices of 10, 100 and 1,000 reps are loaded, each in a process of its own. Where
memory and time follow the slice, the lines of the plot lie on each other.
"""

import argparse
import multiprocessing
import resource
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib
import matplotlib.pyplot as plt

import salesnb
from salesnb import door
from salesnb.simulation import company

REPS, DEALS_PER_REP, MONTHS = 100, 120, 6  # of a team
PROCESSOR, MEMORY = "seconds of a processor", "GB of memory"
SLICES = (10, 100, 1000)
PLOT = Path(__file__).parents[1] / "docs" / "slices.svg"


def write(folder: Path, stage_changes: float) -> tuple[int, int]:
    """A company of about so many stage changes; how many reps and stage changes it has."""
    team, _ = salesnb.simulate(seed=1, reps=REPS, deals_per_rep=DEALS_PER_REP, months=MONTHS)
    copies = max(1, round(stage_changes / len(team.stage_changes)))
    folder.mkdir()
    company.write_teams(folder, (team for _ in range(copies)))
    return copies * REPS, copies * len(team.stage_changes)


def measured(folder: Path, n_reps: int, queue: multiprocessing.Queue) -> None:
    """Rows, seconds and seconds of a processor of a load; GB of memory of its process at most."""
    with door.connection():  # what the engine takes to start is not measured
        pass
    names = [f"{number // REPS + 1:03}-R{number % REPS + 1:03}" for number in range(n_reps)]
    began, worked = time.perf_counter(), time.process_time()
    found = salesnb.load(folder, reps=names)
    seconds, work = time.perf_counter() - began, time.process_time() - worked
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    queue.put((sum(map(len, found.tables.values())), seconds, work, most))


def plot(rows: list[dict], path: Path) -> None:
    """What a load takes by the size of the slice, a line for each company."""
    matplotlib.rcParams["svg.hashsalt"] = "slices"
    figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
    for axis, what in zip(axes, (PROCESSOR, MEMORY), strict=True):
        for size in dict.fromkeys(row["size"] for row in rows):
            own = [row for row in rows if row["size"] == size]
            x, y = ([row[name] for row in own] for name in ("reps", what))
            axis.plot(x, y, marker="o", label=f"{size / 1e6:.0f} million stage changes")
        axis.set(xscale="log", xlabel="reps in the slice", ylabel=what, ylim=(0, None))
    axes[0].legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("millions", type=float, nargs="*", default=[1.0, 10.0])
    context, rows = multiprocessing.get_context("spawn"), []
    print(
        "| stage changes | GB on disk | reps in slice | its rows | seconds | of a processor | GB |"
    )
    print("|--|--|--|--|--|--|--|")
    for millions in parser.parse_args().millions:
        with TemporaryDirectory() as aside:
            folder = Path(aside) / "company"
            n_reps, size = write(folder, millions * 1e6)
            disk = sum(path.stat().st_size for path in folder.iterdir()) / 1e9
            for n in (each for each in SLICES if each <= n_reps):
                queue = context.Queue()
                process = context.Process(target=measured, args=(folder, n, queue))
                process.start()
                n_rows, seconds, work, most = queue.get()
                process.join()
                rows.append({"size": size, "reps": n, PROCESSOR: work, MEMORY: most})
                told = f"{n:,} | {n_rows:,} | {seconds:.1f} | {work:.1f} | {most:.2f}"
                print(f"| {size:,} | {disk:.2f} | {told} |", flush=True)
    plot(rows, PLOT)


if __name__ == "__main__":
    main()
