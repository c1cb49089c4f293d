"""One executed notebook as one HTML page that needs nothing from anywhere else."""

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from html import escape, unescape
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from nbconvert.filters import markdown2html, strip_ansi
from nbformat import NotebookNode

from salesnb import charts, language
from salesnb.language import say, say_all, says
from salesnb.report.agreement import Agreement
from salesnb.units import capital

# What a cell's tag does to it on a page.
LEFT_OUT = "remove-cell"
FOR_MANAGER = "manager-only"
SUMMARY = "summary"
FLAG = "flag"
AGREEMENT = "agreement"  # below these words stands the form of the page, if it has one
# In print its picture is left out, for the table says the same; or both, for the words do; or all.
ON_PAPER = ("table-on-paper", "words-on-paper", "on-screen")
# The manager's notes below it say the same and more, so that their copy prints the notes alone.
NOTES_BELOW = "notes-below"
NOTHING = Markup("")
TEMPLATES = Path(__file__).parent / "template"
SAID = re.compile(r'say\("([^"]*)"\)')  # words in a script
# Parts of a finding as `markup.html` writes them.
HEADLINE = '<p class="headline"><strong>'
CAVEATS = re.compile(r'(<div class="caveats"><p>[^<]*</p><ul>)(.*?)(</ul></div>)', re.DOTALL)
PRESSING = re.compile(r'<div class="finding[^>]* data-pressing="([^"]*)" data-urgency="(\d+)"')
TO_NOTEBOOK = re.compile(r'<a href="[^"]*\.ipynb"[^>]*>(.*?)</a>', re.DOTALL)
PICTURE = re.compile(r"<figure><svg.*?</title>(?P<drawn>.*?)</figure>", re.DOTALL)


@dataclass(frozen=True)
class Sheet:
    """What stands around a notebook's own words on one page.

    about : whom or what the page is about, beside the notebook's title
    edition : whose copy it is, empty where there is only one
    facts : what the foot of the page states, name to value
    for_manager : whether cells tagged ``manager-only`` are shown
    index : where the link to all pages leads, empty for none
    agreement : what the form of the page knows, if it has one
    made_from : what the page says of itself to the next run, name to value
    """

    about: str
    as_of: str
    team: str
    facts: Mapping[str, str]
    edition: str = ""
    for_manager: bool = True
    index: str = ""
    agreement: Agreement | None = None
    made_from: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Section:
    """A heading, the prose below it and the answers between; the opening has no heading."""

    heading: str
    name: str = ""
    words: Markup = NOTHING
    answers: Markup = NOTHING

    @property
    def headline(self) -> str:
        """What its first finding says; empty where there is none."""
        said = str(self.answers).partition(HEADLINE)[2].partition("</strong>")[0]
        return capital(unescape(said))


def render(notebook: NotebookNode, sheet: Sheet) -> str:
    """The page of an executed notebook: its words and its answers, without its code."""
    cells = [cell for cell in notebook.cells if _is_shown(cell, sheet)]
    has_form = bool(sheet.agreement) and any(AGREEMENT in _tags(cell) for cell in cells)
    form = template("agreement.html.j2").render(agreement=sheet.agreement) if has_form else ""
    heading, (opening, *sections) = _split(cells, Markup(form))
    shown: set[str] = set()
    for section in sections:
        answers = _without_name(str(section.answers), sheet.about)
        section.answers = Markup(_first_time(answers, shown))
    return template("page.html.j2").render(
        title=heading,
        opening=opening,
        sections=sections,
        sheet=sheet,
        facts=sheet.facts,
        has_form=has_form,
        script=script("tables.js", *(["notes.js"] if has_form else [])),
    )


def printed(notebook: NotebookNode, tag: str) -> str:
    """What the cells with this tag said, in one line: what they printed, or a headline."""
    texts = [
        _plainly(output) for cell in notebook.cells if tag in _tags(cell) for output in cell.outputs
    ]
    return " ".join("".join(texts).split())


def _plainly(output: NotebookNode) -> str:
    if output.output_type == "stream":
        return output.text if output.name == "stdout" else ""
    found = output.get("data", {}).get("text/html", "").partition(HEADLINE)[2]
    return unescape(found.partition("</strong>")[0])


def pressing(notebook: NotebookNode) -> list[tuple[str, str, str, int]]:
    """What does not wait: the name and the heading of its section, the line, its `Urgency`."""
    return [
        (section.name, section.heading, unescape(line), int(urgency))
        for section in _split(notebook.cells)[1]
        for line, urgency in PRESSING.findall(str(section.answers))
    ]


def title(notebook: NotebookNode) -> str:
    """The heading a notebook opens with."""
    return _split(cell for cell in notebook.cells if cell.cell_type == "markdown")[0]


def _split(cells: Iterable[NotebookNode], form: Markup = NOTHING) -> tuple[str, list[Section]]:
    title = ""
    sections = [Section("")]
    for cell in cells:
        if cell.cell_type == "code":
            sections[-1].answers += _answers(cell, sections[-1].heading or title)
        elif cell.cell_type == "markdown":
            level, heading, rest = _heading(say_all(cell.source))
            title = heading if level == 1 else title
            if level == 2:
                sections.append(Section(heading, f"{_slug(heading)}-{len(sections)}"))
            sections[-1].words += _prose(rest)
            sections[-1].answers += form if AGREEMENT in _tags(cell) else NOTHING
    return title, sections


def _first_time(html: str, shown: set[str]) -> str:
    """The same HTML without the caveats and pictures that the page has shown already."""

    def is_new(what: str) -> bool:
        is_first = what not in shown
        shown.add(what)
        return is_first

    def caveats(found: re.Match[str]) -> str:
        items = [item for item in re.findall(r"<li>.*?</li>", found[2], re.DOTALL) if is_new(item)]
        return f"{found[1]}{''.join(items)}{found[3]}" if items else ""

    html = CAVEATS.sub(caveats, html)
    return PICTURE.sub(lambda found: found[0] if is_new(found["drawn"]) else "", html)


def _without_name(html: str, name: str) -> str:
    """Headlines on a page about one person need not name them each time."""
    return html.replace(f"{HEADLINE}{escape(name)}: ", HEADLINE) if name else html


def _heading(source: str) -> tuple[int, str, str]:
    """The level, the words and the rest of a cell that opens with a heading; level 0 if none."""
    first, _, rest = source.lstrip().partition("\n")
    marks = re.match(r"(#{1,2}) +(.*)", first)
    return (len(marks[1]), marks[2].strip(), rest) if marks else (0, "", source)


def _slug(heading: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", heading.casefold()).strip("-") or "section"


def _prose(source: str) -> Markup:
    """Words as HTML; what leads to a notebook leads nowhere on a page, so the words alone stay."""
    html = TO_NOTEBOOK.sub(r"\1", markdown2html(source.strip()))
    return Markup(f'<div class="prose">{html}</div>') if source.strip() else Markup("")


def _answers(cell: NotebookNode, heading: str) -> Markup:
    shown = "".join(_answer(output, heading) for output in cell.outputs)
    for on_paper in {*ON_PAPER, NOTES_BELOW} & set(_tags(cell)):
        shown = f'<div class="{on_paper}">{shown}</div>'
    if FOR_MANAGER in _tags(cell):
        fold = '<details class="manager"><summary>{}</summary>{}</details>'
        shown = fold.format(escape(say("For the manager")), shown) if shown else ""
    return Markup(shown)


def _answer(output: NotebookNode, heading: str) -> str:
    if output.output_type == "stream":
        return f"<pre>{escape(output.text)}</pre>" if output.name == "stdout" else ""
    if output.output_type == "error":
        # Any other error is the name that was left unset by the table that is lacking.
        is_lack = output.ename == "DataError"
        return f'<p class="lacking">{escape(strip_ansi(output.evalue))}</p>' if is_lack else ""
    data = output.data
    if "text/html" in data:
        return data["text/html"]
    if "image/svg+xml" in data:
        return f"<figure>{data['image/svg+xml']}</figure>"
    if "image/png" in data:
        source = f"data:image/png;base64,{data['image/png'].strip()}"
        return f'<figure><img src="{source}" alt="{escape(heading)}"></figure>'
    if "text/markdown" in data:
        return str(_prose(data["text/markdown"]))
    return f"<pre>{escape(data.get('text/plain', ''))}</pre>"


def _is_shown(cell: NotebookNode, sheet: Sheet) -> bool:
    tags = _tags(cell)
    return LEFT_OUT not in tags and (sheet.for_manager or FOR_MANAGER not in tags)


def _tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def script(*names: str) -> Markup:
    """The scripts of a page as one; what they say is in the language that is spoken."""
    text = "\n".join(_text(name) for name in names)
    return Markup("\n" + SAID.sub(lambda words: json.dumps(say(words[1])), text))


@cache
def _text(name: str) -> str:
    return (TEMPLATES / name).read_text("utf-8")


def template(name: str) -> Any:
    """A page template; whatever it is given is escaped unless it is markup already."""
    return _templates().get_template(name)


@cache
def _templates() -> Environment:
    folder = FileSystemLoader(TEMPLATES)
    words = Environment(loader=folder, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    words.filters["fingerprint"] = _fingerprint
    words.globals |= {"light": charts.LIGHT, "dark": charts.DARK, "script": NOTHING}
    words.globals |= {"say": say, "says": says, "language": language.now}
    return words


def _fingerprint(text: str) -> str:
    """What a content security policy calls a script or a style sheet by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
