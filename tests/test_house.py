"""The house rules that a machine can check: layers, names, dependencies."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "salesnb").rglob("*.py"))

# Floors from the ground up: a module imports only from floors below its own.
# Modules of one floor may not import one another unless the floor is marked open.
FLOORS: list[tuple[bool, set[str]]] = [
    (
        True,
        {
            "errors",
            "language",
            "schema",
            "beta_product",
            "stats",
            "stage_model",
            "charts",
            "units",
            "coded",
            "display",
            "markup",
            "usual",
            "watch",
            "latent",
            "mixed",
            "drift",
            "lot",
        },
    ),
    (
        True,
        {
            "settings",
            "cells",
            "csvedit",
            "csvfile",
            "door",
            "once",
            "checks",
            "finding",
            "history",
            "team",
            "dataset",
            "parquetfile",
            "comp_plan",
            "saved",
            "database",
            "typed",
            "slices",
            "suspects",
            "remote",
        },
    ),
    (
        True,
        {
            "by_rep",
            "behind",
            "visits",
            "leaks",
            "metrics",
            "simulation",
            "importers",
            "question_bank",
            "exercise_bank",
            "standout",
            "sessions",
            "trials",
            "weekly",
            "warning",
            "waterfall",
            "deal_odds",
            "attention",
            "companies",
            "outlook",
            "notes",
            "logbook",
            "sold",
            "wanted",
            "effort",
            "pay",
        },
    ),
    (
        False,
        {
            "funnel",
            "scorecard",
            "coaching",
            "coaching_log",
            "pipeline",
            "icp",
            "transition",
            "training",
            "ramp",
            "goals",
            "comp",
            "differentiators",
        },
    ),
    (
        True,
        {
            "verbs",
            "report",
            "cli",
            "explore",
            "languages",
            "workspace",
        },
    ),
]


def place(path: Path) -> str:
    """The room a file belongs to: a module, or the folder of a package."""
    return path.relative_to(ROOT / "salesnb").parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """The rooms of this package that a file imports, type-only imports too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("salesnb"):
            parts = node.module.split(".")[1:]
            found |= {parts[0]} if parts else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("salesnb.")}
    rooms = {room for _, floor in FLOORS for room in floor}
    return found & rooms


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_downwards(path):
    room = place(path)
    if room == "__init__":
        return
    level = next((i for i, (_, floor) in enumerate(FLOORS) if room in floor), None)
    assert level is not None, f"{room} stands on no floor: add it to FLOORS"
    is_open, floor = FLOORS[level]
    below = {name for _, lower in FLOORS[:level] for name in lower}
    allowed = below | {room} | (floor if is_open else set())
    assert imported(path) <= allowed


def test_no_room_has_two_ideas_name():
    forbidden = {"utils", "helpers", "common", "misc", "base"}
    assert not {path.stem for path in MODULES} & forbidden
    for path in MODULES:
        classes = [n.name for n in ast.walk(ast.parse(path.read_text())) if type(n) is ast.ClassDef]
        assert not [c for c in classes if re.search(r"(Manager|Engine|Analyzer|Helper)$", c)]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_public_functions_say_what_they_do(path):
    tree = ast.parse(path.read_text())
    silent = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and ast.get_docstring(node) is None
        and path.name != "schema.py"
    ]
    assert not silent
    assert ast.get_docstring(tree), "a module says what idea it holds"


def test_nothing_asks_the_clock():
    for path in MODULES:
        text = path.read_text()
        assert not re.search(r"\b(today|utcnow)\(|datetime\.now\(|Timestamp\.now\(", text), path


def dependencies():
    """What the project and those who work on it need, as pip names it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    return {*project["dependencies"], *extras["dev"], *extras["docs"]}


def test_conda_and_pip_state_the_same_dependencies():
    pip = dependencies()
    other_names = {
        "ibis-framework[duckdb]": "ibis-duckdb",
        "ibis-framework[pyspark]": "ibis-pyspark",
        "moto[s3]": "moto",
        "playwright": "playwright-python",
        "psycopg[binary]": "psycopg",
        "universal-pathlib": "universal_pathlib",
    }
    pip = {re.sub(r"^[^>=<]+", lambda m: other_names.get(m[0], m[0]), item) for item in pip}
    lines = (ROOT / "environment.yml").read_text().split("dependencies:")[1].splitlines()
    lines = [line.partition("#")[0] for line in lines]
    conda = {line.strip("- ") for line in lines if line.strip().startswith("- ")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert conda - {"pip", "pip:", f"python{project['requires-python']}"} == pip


def test_the_lock_pins_every_dependency():
    pinned = {
        line.split("==")[0].split("[")[0].strip()
        for line in (ROOT / "requirements.lock").read_text().splitlines()
        if "==" in line and not line.startswith((" ", "#"))
    }
    assert {re.split(r"[\[>=<]", item)[0] for item in dependencies()} <= pinned


def test_the_change_log_tells_of_this_version():
    import salesnb

    assert f"\n## {salesnb.__version__}" in (ROOT / "CHANGELOG.md").read_text()
