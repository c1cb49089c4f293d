"""Bring the catalogues up to date with the words of the code: what is new is there, still empty.

python salesnb/languages/update.py          # all languages
python salesnb/languages/update.py de       # begins one

A catalogue for each topic of the package; of the notebooks, of the names of columns (those that
GLOSSARY.md defines), of the words that the schema allows in them, and of the banks of questions
and exercises.
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

import nbformat
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import write_po
from jinja2.ext import babel_extract

from salesnb import language, schema, units
from salesnb.report import page

PACKAGE = Path(__file__).parents[1]
ROOT = PACKAGE.parent
CALLS = {"say": None, "says": (1, 2), "to_say": None}  # the first text, or the first two
BANKS = {"questions": ("text", "listen_for"), "exercises": ("title", "how", "measure", "text")}


def topics() -> dict[str, list[str]]:
    """The words of each catalogue, in the order in which they are met."""
    found = {"notebooks": _notebooks(), "columns": _columns(), "schema": _codes()}
    found |= {bank: _bank(bank, keys) for bank, keys in BANKS.items()}
    talks = (PACKAGE / "transition" / "talks.toml").read_text(encoding="utf-8")
    found["transition"] = [*_texts_in(tomllib.loads(talks))]
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).parts
        found.setdefault(parts[0] if len(parts) > 1 else "suite", []).extend(_said_in(path))
    for path in sorted((PACKAGE / "report" / "template").glob("*.j*")):
        found["report"].extend(_said_on(path))
    return _each_once({topic: words for topic, words in found.items() if words})


def _said_in(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        for _, words, *_ in extract("python", file, CALLS):
            yield from [words] if isinstance(words, str) else filter(None, words)


def _said_on(template: Path) -> Iterator[str]:
    """What a template says, or a script: `page` puts the words into both."""
    text = template.read_text(encoding="utf-8")
    if template.suffix == ".js":
        yield from page.SAID.findall(text)
        return
    for _, _, words, _ in babel_extract(BytesIO(text.encode()), [*CALLS], [], {}):
        yield from [words] if isinstance(words, str) else filter(None, words or ())


def _notebooks() -> list[str]:
    return [
        part
        for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "markdown"
        for part in language.paragraphs(cell.source)
    ]


def _columns() -> list[str]:
    page = (ROOT / "GLOSSARY.md").read_text(encoding="utf-8")
    defined = re.findall(r"^\| (`.*?) \|", page, flags=re.MULTILINE)
    names = [name for cell in defined for name in re.findall(r"`([a-z]\w*[a-z0-9])`", cell)]
    return [units.label(name) for name in names]


def _codes() -> list[str]:
    columns = [column for model in schema.MODELS.values() for column in model.columns.values()]
    checks = [check for column in columns for check in column.checks]
    return [word for check in checks for word in check.statistics.get("allowed_values", ())]


def _bank(folder: str, keys: Iterable[str]) -> list[str]:
    rows = [
        row
        for path in sorted((PACKAGE / folder).glob("*.toml"))
        for kind in tomllib.loads(path.read_text(encoding="utf-8")).values()
        for row in kind
        if isinstance(row, dict)
    ]
    return [row[key] for row in rows for key in keys if row.get(key)]


def _texts_in(value: object) -> Iterator[str]:
    """Every text of a file of nothing but texts, and of numbers."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts_in(each)


def _each_once(found: dict[str, list[str]]) -> dict[str, list[str]]:
    """What several topics say stands in the first of them, by name."""
    seen: set[str] = set()
    kept = {}
    for topic in sorted(found):
        kept[topic] = [words for words in dict.fromkeys(found[topic]) if words not in seen]
        seen |= set(kept[topic])
    return kept


def update(code: str) -> None:
    """Write the catalogues of a language: what was translated stays, what nobody says goes."""
    folder = Path(str(language.FOLDER)) / code
    folder.mkdir(exist_ok=True)
    done = dict(language.words_for(code))
    wanted = topics()
    for path in folder.glob("*.po"):
        if path.stem not in wanted:
            path.unlink()
    for topic, words in wanted.items():
        catalog = Catalog(locale=code, fuzzy=False)
        for each in words:
            catalog.add(each, done.get(each, ""), flags=["python-brace-format"] * ("{" in each))
        with (folder / f"{topic}.po").open("wb") as file:
            write_po(file, catalog, width=96, omit_header=True)
        missing = sum(each not in done for each in words)
        print(f"{code}/{topic}.po: {len(words)} texts, {missing} still to be translated")


if __name__ == "__main__":
    for each in sys.argv[1:] or [code for code in language.known() if code != language.ENGLISH]:
        update(each)
