"""The folder one works in: notebooks, a made-up team to try them on, a place for one's own data.

Where it has no notebooks, those that came with salesnb are used.
"""

from pathlib import Path
from shutil import copyfile

from salesnb.errors import DataError

NOTEBOOKS = Path("notebooks")
FIRST = "00_start_here.ipynb"
PACKAGE = Path(__file__).parent
MAPPING = "our_crm.toml"
MINE = "data/mine"
README = """\
# A sales team's notebooks

1. `salesnb report data/demo` makes the pages of a made-up team and prints where they are: open
   `index.html` in a browser. It takes a few minutes; `--notebook 02_funnel` makes one page alone.
2. `salesnb lab` opens the notebooks in JupyterLab, at `00_start_here`.
3. Your own team, into a folder `data/ours`:
   - from Salesforce, HubSpot or Pipedrive: `salesnb import salesforce EXPORT data/ours`;
   - from one file of deals of any other CRM: put the names of its columns into `our_crm.toml`, then
     `salesnb import our_crm.toml EXPORT data/ours`;
   - by hand: fill `data/mine`, in which `tables.md` explains every column.
4. `salesnb check data/ours` (or `data/mine`) says what is wrong, all at once, and what is there.
5. `salesnb report data/ours` makes your team's pages.

What is in `data/` and `reports/` is about people: it stays on this machine and out of a repository.
The notebooks are yours to change. Delete the folder `notebooks`, and `salesnb report` uses those
that came with salesnb.
"""
IGNORED = "data/\nreports/\n.ipynb_checkpoints/\n"


def notebooks() -> Path:
    """The folder of notebooks to run: the one here, or else of those that came with salesnb."""
    return NOTEBOOKS if any(NOTEBOOKS.glob("*.ipynb")) else shipped()


def shipped() -> Path:
    """The notebooks that came with salesnb: in the package, or beside it in the repository."""
    inside = PACKAGE / NOTEBOOKS
    return inside if inside.is_dir() else PACKAGE.parent / NOTEBOOKS


def own_notebooks() -> Path:
    """The folder of notebooks here, which are one's own to change.

    Raises `DataError` if there are none.
    """
    if not (NOTEBOOKS / FIRST).is_file():
        raise DataError(
            f"There is no {NOTEBOOKS / FIRST} here: go to the folder that `salesnb new` made, or "
            "make one with `salesnb new myteam`."
        )
    return NOTEBOOKS


def lay_out(dest: str | Path) -> Path:
    """Make a folder to work in, whole or not at all.

    Raises `DataError` if `dest` exists and holds anything, or cannot be written.
    """
    from salesnb import door, simulation  # seconds that `notebooks` need not wait for
    from salesnb.importers import template

    folder = door.must_be_free(dest)
    with door.whole(folder) as new:
        (new / NOTEBOOKS).mkdir()
        for path in sorted(shipped().glob("*.ipynb")):
            copyfile(path, new / NOTEBOOKS / path.name)
        simulation.simulate(seed=0)[0].save(new / "data" / "demo")
        template.write(new / MINE, known_as=MINE)
        copyfile(PACKAGE / "crm" / "starter" / MAPPING, new / MAPPING)
        (new / "README.md").write_text(README, encoding="utf-8")
        (new / ".gitignore").write_text(IGNORED, encoding="utf-8")
    return folder
