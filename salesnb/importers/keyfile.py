"""The key that pseudonyms are made with: a file that the user names, keeps and shows to nobody."""

import base64
import hashlib
import hmac
import os
import re
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from salesnb import door
from salesnb.errors import DataError

SAID = """\
# salesnb import --anonymous makes pseudonyms with this key. Keep it: the next import needs it to
# give the same ones. Keep it to yourself: who has it can tell whether a name is behind a pseudonym.
"""
SHAPE = r"[0-9a-f]{64}"
LENGTH = 10  # letters and digits of base 32, 50 bits: among 100,000 names two agree once in 200,000


@dataclass(frozen=True)
class Key:
    """A key, and where it is or will be kept."""

    path: Path
    secret: bytes
    is_new: bool = False

    def code(self, kind: str, words: str) -> str:
        """Ten letters and digits that stand for a name, by HMAC with SHA-256 (RFC 2104)."""
        digest = hmac.new(self.secret, f"{kind}\n{words}".encode(), hashlib.sha256).digest()
        return base64.b32encode(digest).decode()[:LENGTH].lower()

    @property
    def fingerprint(self) -> str:
        """What tells this key from others, without telling the key."""
        return self.code("key", "")

    def keep(self) -> None:
        """Write a new key, for its owner only. Raises `DataError` where that cannot be."""
        if not self.is_new:
            return
        try:
            number = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, door.OWN_FILE)
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(f"{SAID}{self.secret.hex()}\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            why = error.strerror or error
            raise DataError(f"{self.path}: the key cannot be written: {why}") from error


def at(path: Path, dest: Path) -> Key:
    """The key in a file, or a new one that is not yet written.

    Raises `DataError` for a file that holds no key or that others may read, and for one within the
    data set: whoever gets that must not get the key.
    """
    if dest.resolve() in (path.resolve(), *path.resolve().parents):
        raise DataError(f"{path}: the key must not lie in the data set; choose another place.")
    if path.exists():
        return Key(path, _secret(path))
    if not path.parent.is_dir():
        raise DataError(f"{path}: there is no folder {path.parent} to keep the key in.")
    return Key(path, secrets.token_bytes(32), is_new=True)


def _secret(path: Path) -> bytes:
    try:
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise DataError(f"{path}: others may read this key: chmod 600 {path}")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: expected a key that salesnb import --anonymous made") from error
    kept = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if len(kept) != 1 or not re.fullmatch(SHAPE, kept[0]):
        raise DataError(f"{path}: expected a key that salesnb import --anonymous made")
    return bytes.fromhex(kept[0])
