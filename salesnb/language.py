"""The language of what people read: the suite's own words, from catalogues in gettext's form.

The code holds the English words; ``languages/hu/*.po`` holds the Hungarian ones. A language is a
folder of catalogues, no code. What stands in the data (names, stages, products) stays as it is.
"""

import os
import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import Any

from babel import Locale

from salesnb.errors import unknown

ENGLISH = "en"
ASKED_BY = "SALESNB_LANGUAGE"  # the environment variable, which other processes inherit
FOLDER = files("salesnb") / "languages"


def known() -> list[str]:
    """The codes of the languages there are: English, and those that have catalogues."""
    folders = [each.name for each in FOLDER.iterdir() if each.is_dir() and each.name[0] != "_"]
    return sorted({ENGLISH, *folders})


def now() -> str:
    """The code of the language that is spoken."""
    return os.environ.get(ASKED_BY) or ENGLISH


def use(code: str) -> None:
    """Speak this language from now on, in the processes started from now on too.

    Raises `DataError` for a language that has no catalogues.
    """
    if code not in known():
        raise unknown("language", code, known())
    os.environ[ASKED_BY] = code


@contextmanager
def spoken(code: str) -> Iterator[None]:
    """While the block runs, this language is spoken; raises as `use`."""
    before = now()
    use(code)
    try:
        yield
    finally:
        use(before)


def say(words: str, /, **values: Any) -> str:
    """The words in the language that is spoken, with these values in place of their names.

    ``say("{n} deals are open.", n=12)``. Braces in a value stay as they are.
    """
    return _filled(words_for(now()).get(words) or words, values)


def says(one: str, many: str, n: float, /, **values: Any) -> str:
    """As `say`, of one or of several: ``says("{n} deal", "{n} deals", 3, n="3")``.

    A language without a plural after a number has the same words for both.
    """
    return say(one if n == 1 else many, **values)


def to_say(words: str) -> str:
    """Words that are said later, by ``say(words)``: named here for the catalogues alone."""
    return words


STRUCK = str.maketrans("łŁøØđĐħĦŧŦ", "lLoOdDhHtT")  # of which Unicode knows no plain letter
# The letters in their order; those that count as the same have a bar between them.
ALPHABET = to_say("a b c d e f g h i j k l m n o p q r s t u v w x y z")


def paragraphs(text: str) -> list[str]:
    """The pieces of a longer text that are translated one by one."""
    return [part for part in re.split(r"\n{2,}", text.strip()) if part]


def say_all(text: str) -> str:
    """As `say`, of a longer text, paragraph by paragraph."""
    return "\n\n".join(map(say, paragraphs(text)))


def alphabetical(name: str) -> str:
    """What names are put in order by: the alphabet; case and accents that it lacks do not count."""
    return "".join(_places(now()).get(each, each) for each in _letters(now(), name))


def in_order(names: Any) -> Any:
    """A column of names for what sorts tables: ``rows.sort_values("name", key=in_order)``."""
    return names.map(alphabetical)


def locale() -> Locale:
    """How numbers and days are written in the language that is spoken."""
    return _locale(now())


@cache
def words_for(code: str) -> Mapping[str, str]:
    """English words to those of a language, from all of its catalogues; none for English."""
    found: dict[str, str] = {}
    if code == ENGLISH:
        return found
    from babel.messages.pofile import read_po  # nothing for who speaks English

    for path in sorted((FOLDER / code).iterdir(), key=lambda path: path.name):
        if path.name.endswith(".po"):
            with path.open("rb") as file:
                pairs = ((str(each.id), str(each.string)) for each in read_po(file))
                found |= {words: said for words, said in pairs if words and said}
    return found


def without_accents(words: str) -> str:
    """The same letters without what stands above and below them, or runs through them.

    >>> without_accents("Gyöngyi Świątek, Łukasz Sørensen")
    'Gyongyi Swiatek, Lukasz Sorensen'
    """
    apart = unicodedata.normalize("NFKD", words.translate(STRUCK))
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def _letters(code: str, name: str) -> Iterator[str]:
    """Letters as the alphabet has them, of one sign or more; of all else, what is below accents."""
    plain = unicodedata.normalize("NFC", name.casefold())
    longest_first = sorted(_places(code), key=len, reverse=True)
    for each in re.findall("|".join([*longest_first, "."]), plain, re.DOTALL):
        if each in _places(code):
            yield each
        else:
            yield from without_accents(each)


@cache
def _places(code: str) -> Mapping[str, str]:
    """Each letter to a sign for its place in the alphabet; spaces and digits come before."""
    groups = (words_for(code).get(ALPHABET) or ALPHABET).split()
    return {
        letter: chr(ord("a") + place)
        for place, group in enumerate(groups)
        for letter in group.split("/")
    }


@cache
def _locale(code: str) -> Locale:
    return Locale.parse(code)


def _filled(words: str, values: Mapping[str, Any]) -> str:
    return words.format_map(values) if values else words
