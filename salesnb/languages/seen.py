"""What pages in another language say, text by text, and which of their words are none of it.

python salesnb/languages/seen.py hu DATA FOLDER    # the pages that `salesnb report` wrote there

A word is of the language if a translation holds it, or if it is the name of a month; what stands
in the data is said as it stands there. Whatever else is on a page was not translated.
"""

import re
import sys
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import takewhile
from pathlib import Path
from typing import Any

from babel import Locale
from pandas.api import types

import salesnb
from salesnb import language, schema
from salesnb.differentiators import asked
from salesnb.team import Team

READ_OUT = ("alt", "aria-label", "title", "placeholder", "data-pressing")
NO_WORDS = ("style", "script")
WORD = re.compile(r"[^\W\d_]++(?:['’][^\W\d_]++)?…?(?!=)")
CUT = "…"  # ends a label that had no room
VALUE = re.compile(r"\{[^{}]*\}")
FILE = re.compile(r"\b\d\d_\w+")  # a notebook
SENTENCES = r"(?<=[.!?])\s+|\|"
SHORT = 3  # letters, below which a word tells no language
OWN = {"salesnb", "pandas"}  # programs


class Page(HTMLParser):
    """The texts of a page, in its order: also those that are said aloud, and those of pictures."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._is_said = True
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """What is said aloud in place of what is seen."""
        self._is_said = tag not in NO_WORDS
        self.texts += [value for name, value in attrs if name in READ_OUT and value]

    def handle_endtag(self, tag: str) -> None:
        """After a script come words again."""
        self._is_said = True

    def handle_data(self, data: str) -> None:
        """What is seen."""
        if self._is_said and data.strip():
            self.texts.append(" ".join(data.split()))


class Known:
    """The words that a page may hold: those of a language, and the texts of a data set."""

    def __init__(self, code: str, team: Team) -> None:
        locale = Locale.parse(code)
        said = {VALUE.sub("", text) for text in language.words_for(code).values()}
        said |= {team.settings.currency, *OWN}
        for named in (locale.months, locale.days):
            said |= {str(name) for form in named.values() for names in form.values()
                     for name in names.values()}  # fmt: skip
        said |= {*locale.languages.values(), *_texts(asked.bank().get(code, {}))}
        self.words = sorted({word for text in said for word in _words(text)})
        texts = sorted(map(_words, _recorded(team)), key=len, reverse=True)
        self.texts: dict[str, list[list[str]]] = defaultdict(list)
        for words in filter(None, texts):
            self.texts[words[0]].append(words)
        self.firsts = sorted(self.texts)

    def strange(self, text: str) -> list[str]:
        """The words of a text that are neither of the language nor part of a text of the data."""
        words, found = _words(FILE.sub("", text.replace(f" {CUT}", CUT))), []
        while words:
            own = self._of_data(words)
            if not own and len(words[0]) >= SHORT and not _begin(self.words, words[0]):
                found.append(words[0])
            words = words[own or 1 :]
        return found

    def _of_data(self, words: list[str]) -> int:
        """With how many of these words a text of the data begins, or all of one that was cut."""
        for first in _begin(self.firsts, words[0]):
            for text in self.texts[first]:
                if n := _beginning(words, text):
                    return n
        return 0


def _begin(known: list[str], word: str) -> list[str]:
    """The word if it is known, or those that one may be which was cut."""
    stem = word.removesuffix(CUT)
    at = bisect_left(known, stem)
    if stem == word:
        return known[at : at + 1] if known[at : at + 1] == [word] else []
    return [*takewhile(lambda each: each.startswith(stem), known[at:])]


def _beginning(words: list[str], text: list[str]) -> int:
    """How many of these words are a text, or what is seen of it where it was cut; 0 if none is."""
    for n, (word, own) in enumerate(zip(words, text, strict=False), 1):
        if CUT in word:
            return n if own.startswith(word.removesuffix(CUT)) else 0
        if word != own:
            return 0
    return len(text) if len(words) >= len(text) else 0


def _words(text: str) -> list[str]:
    return [word.casefold() for word in WORD.findall(text)]


def _texts(part: Any) -> Iterator[str]:
    """Every text in a file of questions."""
    if isinstance(part, str):
        yield part
    else:
        for each in part.values() if isinstance(part, dict) else part:
            yield from _texts(each)


def _recorded(team: Team) -> set[str]:
    """What people recorded: the columns of text, save those whose words the suite defines.

    A text of several sentences is known by each of them too, and a table by its name.
    """
    found = {team.settings.name, *team.stages, *schema.MODELS}
    found |= {plan.name for plan in team.settings.plans}
    for name, table in team.tables.items():
        for column in table:
            own = schema.MODELS[name].columns.get(column)
            if types.is_string_dtype(table[column].dtype) and not (own and own.checks):
                found |= {*table[column].dropna()}
    return found | {sentence for text in found for sentence in re.split(SENTENCES, text)}


def untranslated(html: str, known: Known) -> Iterator[tuple[str, list[str]]]:
    """The texts of a page that hold words of another language, each with these words."""
    for text in Page(html).texts:
        if words := known.strange(text):
            yield text, words


def main(code: str, data: str, folder: str) -> None:
    """Print every text of the pages, each once; before those with strange words, these words."""
    known = Known(code, salesnb.load(data))
    for path in sorted(Path(folder).rglob("*.html")):
        print(f"\n{path.relative_to(folder)}")
        for text in dict.fromkeys(Page(path.read_text(encoding="utf-8")).texts):
            words = known.strange(text)
            print(f"{text}   << {', '.join(words)}" if words else text)


if __name__ == "__main__":
    main(*sys.argv[1:])
