"""In which encoding a text file is written: marks first, then UTF-8, then the letters it makes.

A file that is no UTF-8 can nearly always be decoded in several ways. Of the candidates that
charset-normalizer lets pass, the one wins whose letters are those of one language: ``õ`` beside
``á`` is no Hungarian, ``ő`` beside ``á`` is.
"""

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from charset_normalizer import from_bytes

from salesnb.errors import unknown

CHUNK = 1 << 20
TOO_MANY = 10_000
SAMPLE = 20_000  # bytes of different words with accents: enough to tell languages apart
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# What Windows writes in the West comes first: it wins where the letters cannot tell.
CANDIDATES = ("cp1252", "cp1250", "iso8859_2")
SAID = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "cp1250": "Windows-1250 (Central European)",
    "cp1252": "Windows-1252 (Western European)",
    "iso8859_2": "ISO 8859-2 (Central European)",
}
# The letters beyond a-z of the languages, as CLDR has them. Where two readings make sense alike,
# the language that stands higher wins.
LETTERS = {
    "Hungarian": "áéíóöőúüű",
    "Czech": "áčďéěíňóřšťúůýž",
    "Polish": "ąćęłńóśźż",
    "German": "äöüß",
    "French": "àâæçéèêëîïôœùûüÿ",
    "Spanish": "áéíñóúü",
    "Slovak": "áäčďéíĺľňóôŕšťúýž",
    "Italian": "àèéìòóù",
    "Nordic": "åäæöøé",
    "Portuguese": "ãáàâçéêíõóôú",
    "Romanian": "ăâîșțşţ",
    "Croatian": "čćđšž",
}
# Signs that people do write beside letters.
SIGNS = set("€£§°´«»„”“‚‘’–—…•·²³½¿¡®™©\u00a0\u00ad")


def named(encoding: str) -> str:
    """Python's name of an encoding that somebody asked for; `DataError` where there is none."""
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise unknown("encoding", encoding, ["utf-8", "utf-16", *CANDIDATES]) from None


def of(path: Path) -> tuple[str, tuple[str, ...]]:
    """The encoding of a file, and others that would make as much sense of it.

    The encoding is "" where the file is no text.
    """
    with path.open("rb") as file:
        start = file.read(4096)
    sure = next((name for mark, name in MARKS.items() if start.startswith(mark)), _wide(start))
    if sure:
        return sure, ()
    words, n_good, n_bad = _accented(path)
    if 10 * n_bad <= n_good:  # what little is wrong in UTF-8 is damage
        return "utf-8", ()
    is_text = sum(byte < 32 and byte not in b"\t\n\r" for byte in start) <= len(start) / 20
    return _by_letters(b"\n".join(sorted(words))) if is_text else ("", ())


def said(encoding: str) -> str:
    """An encoding in words for people.

    >>> said("cp1250"), said("koi8-r")
    ('Windows-1250 (Central European)', 'koi8-r')
    """
    return SAID.get(encoding, encoding)


def _wide(start: bytes) -> str:
    """UTF-16 without a mark: half of the bytes of separators, digits and a-z are nought."""
    even, odd = start[::2].count(0), start[1::2].count(0)
    if max(even, odd) * 4 < len(start) or not start:
        return ""
    if min(even, odd) * 10 > max(even, odd):
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _accented(path: Path) -> tuple[set[bytes], int, int]:
    """Different words beyond ASCII, with the counts of runs of bytes that are UTF-8 and are not.

    Reading ends where the latter are too many to be damage.
    """
    words: set[bytes] = set()
    n_good = n_bad = size = 0
    for lines in _whole_lines(path):
        if lines.isascii():
            continue
        for run, n in Counter(re.findall(rb"[\x80-\xff]+", lines)).items():
            is_good = _is_utf8(run)
            n_good += n * is_good
            n_bad += n * (not is_good)
        if n_bad and size < SAMPLE:
            more = set(re.findall(rb"[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*", lines)) - words
            words |= more
            size += sum(map(len, more))
        if n_bad > TOO_MANY and 10 * n_bad > n_good:
            break
    return words, n_good, n_bad


def _is_utf8(run: bytes) -> bool:
    try:
        return bool(run.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def _whole_lines(path: Path) -> Iterator[bytes]:
    """The file in pieces that end with a line, so that no character is torn."""
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            yield piece + file.readline(CHUNK)


def _by_letters(words: bytes) -> tuple[str, tuple[str, ...]]:
    passed = {match.encoding for match in from_bytes(words, cp_isolation=[*CANDIDATES])}
    readings = {
        name: words.decode(name, errors="replace")
        for name in CANDIDATES
        if name in passed or not passed & {*CANDIDATES}
    }
    sense = {name: _sense(text) for name, text in readings.items()}
    best = max(readings, key=sense.__getitem__)
    others = (name for name in readings if readings[name] != readings[best])
    return best, tuple(name for name in others if sense[name][0] == sense[best][0])


def _sense(text: str) -> tuple[float, int]:
    """How far the letters beyond ASCII are those of one language, and how high it stands."""
    found = [char for char in text.casefold() if not char.isascii()]
    letters = [char for char in found if char.isalpha()]
    wrong = sum(not char.isalpha() and char not in SIGNS for char in found)
    shares = [
        sum(char in own for char in letters) / (len(letters) or 1) for own in LETTERS.values()
    ]
    best = max(shares)
    return best - wrong / (len(found) or 1), -shares.index(best)
