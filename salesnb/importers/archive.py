"""A zip archive unpacked with care: nothing leaves its folder, and nothing grows without end."""

import shutil
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from salesnb.errors import DataError, Fault

MOST_BYTES = 16 * 2**30
MOST_FILES = 10_000
CHUNK = 1 << 20
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


def unpacked(path: Path, into: Path) -> Iterator[tuple[str, Path]]:
    """The files of an archive: the name of each in the archive, and where it now is.

    Each goes into a folder of its own under `into`, under its last name alone: whatever path an
    archive states, nothing is written elsewhere. At most 10,000 files and 16 GiB are unpacked.
    Raises `DataError` where the archive is damaged, asks for a password or is larger.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            _must_be_small(path.name, members)
            for number, member in enumerate(members):
                name = PurePosixPath(member.filename.replace("\\", "/"))
                place = into / str(number)
                place.mkdir()
                _unpack(archive, member, place / _plain(name.name))
                yield str(name), place / _plain(name.name)
    except DataError:
        raise
    except BROKEN as error:
        why = "it asks for a password" if "password" in str(error) else str(error)[:120]
        expected = "a zip archive that can be unpacked: export it again, without a password"
        raise DataError([Fault(path.name, expected, value=why)]) from error


def must_be_small(path: Path) -> None:
    """Raises `DataError` where a file that is an archive inside would grow too large."""
    try:
        with zipfile.ZipFile(path) as archive:
            _must_be_small(path.name, archive.infolist())
    except DataError:
        raise
    except BROKEN:
        return  # no archive; whoever reads it says what is wrong


def _must_be_small(name: str, members: list[zipfile.ZipInfo]) -> None:
    size = sum(member.file_size for member in members)
    if len(members) > MOST_FILES or size > MOST_BYTES:
        found = f"{len(members):,} files of {size / 2**30:.1f} GiB"
        expected = f"at most {MOST_FILES:,} files of {MOST_BYTES // 2**30} GiB together"
        raise DataError([Fault(name, expected, value=found)])


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, place: Path) -> None:
    # The module reads no more of a member than its stated size, which was added up before.
    with archive.open(member) as packed, place.open("wb") as file:
        shutil.copyfileobj(packed, file, CHUNK)


def _plain(name: str) -> str:
    """A file name that every system can write."""
    return "".join("_" if char in '<>:"|?*' or ord(char) < 32 else char for char in name)[-120:]
