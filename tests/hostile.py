"""A team in which whoever could write to the CRM has tried everything, in every free text."""

from dataclasses import replace

import pandas as pd

from salesnb import schema
from salesnb.team import Team, of

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    "</style></title></script><svg/onload=alert(3)>",
    "\"'><a href=javascript:alert(4) onmouseover='alert(5)'>x</a>",
    "{{7*7}} {% raw %} {0.__class__} {name} %s %(name)s ${7*7}",
    "[x](javascript:alert(6)) **bold** _i_ `c` ~~s~~ ![p](http://example.com/p.png)",
    "# h1",
    "$x^2$ \\(y\\) $5 and $6",
    "&lt;b&gt;&amp;&#60;i&#62;",
    "[red]markup[/] [/closed]",
    "\x1b[31;1m\x1b]8;;http://example.com\x07link\x1b[2J\x9b31m",
    "\u202edlrow\u2066",
    "=1+cmd|' /C calc'!A0",
    "@SUM(1)",
    "(a|b)*+?[^",
    "http://example.com/?q=1",
    '"; import os; os._exit(3) #',
    "a\nb\r\nc\td",
    "<!--",
    "]]>",
]
# What a rep may be called in somebody's CRM: each of these becomes the name of a file.
IDS = [
    "../../etc/passwd",
    "CON",
    "con.txt",
    "😀",
    "\u202egnp.exe",
    "é" * 300,
    "x" * 300,
    "a\nb",
    "dot.",
    "space ",
    "Case",
    "case",
    "/etc/shadow",
    "C:\\x",
    "-rf",
    ".htaccess",
    "a%2e%2e%2fb",
    "index",
    "a.manager",
    "a#b?c",
    '"; import os; os._exit(3) #',
    "{{7*7}}{x}",
    "a\n!touch b\n%%sh",
]


def hostile(team: Team) -> Team:
    """The same team, each of whose words begins with a payload; its reps have other ids.

    Only other keys and the words of the schema stay as they are.
    """
    stages = dict(_marked(team.stages, 0))
    skills = {word for words in team.settings.skills.values() for word in words}
    skills |= {*team.assessments["skill"], *team.courses["skill"]}
    said = {**stages, **dict(_marked(sorted(skills), 5))}
    tables = {name: _table(name, table, said) for name, table in team.tables.items()}
    own = team.settings
    plans = [replace(plan, name=f"{PAYLOADS[n]} {plan.name}") for n, plan in enumerate(own.plans)]
    settings_ = replace(
        own,
        name=" ".join(PAYLOADS),
        stages=tuple(stages.values()),
        skills={stages[at]: tuple(said[w] for w in words) for at, words in own.skills.items()},
        plans=replace(own.plans, plans=tuple(plans)),
    )
    return _called(of(settings_, tables))


def _table(name: str, table: pd.DataFrame, said: dict[str, str]) -> pd.DataFrame:
    known = schema.columns(name)
    words = [c for c in table.select_dtypes("str") if _is_free(known.get(c))]
    made = {c: _words(table[c], said, n) for n, c in enumerate(words)}
    if name == "accounts":
        # A column beyond the schema is called what the export calls it.
        made |= {f"{PAYLOADS[0]} {PAYLOADS[1]}": table["industry"], **made}
    return table.assign(**made)


def _is_free(column) -> bool:
    return column is None or not (column.unique or column.metadata or column.checks)


def _words(values: pd.Series, said: dict[str, str], start: int) -> pd.Series:
    own = dict(_marked(values.dropna().unique(), start))
    return values.map({**own, **{word: said[word] for word in own if word in said}}).astype("str")


def _marked(words, start):
    for n, word in enumerate(words, start):
        yield word, f"{PAYLOADS[n % len(PAYLOADS)]} {word}"


def _called(team: Team) -> Team:
    """The same team with other ids for its reps, wherever they stand."""
    known = dict(zip(team.reps["rep_id"], IDS, strict=False))
    tables = {
        name: table.assign(rep_id=table["rep_id"].map(known)) if "rep_id" in table else table
        for name, table in team.tables.items()
    }
    return of(team.settings, tables)
