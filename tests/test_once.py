"""What is worked out once: found again where it can be trusted, worked out again where not."""

import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ROOT
from filelock import FileLock

from salesnb import once
from salesnb.once import ahead, asked_for, forget, keep_in

needs_owner = pytest.mark.skipif(not hasattr(os, "getuid"), reason="files without owners")
asked = []


class Data:
    """All that `once` knows of a team: what tells it from others."""

    def __init__(self, key="data"):
        self.key = key


@once.once
def slow(team):
    asked.append("slow")
    end = time.process_time() + 0.03
    while time.process_time() < end:
        pass
    return [team.key, len(asked)]


@once.once
def quick(team, more=1, *, most=2):
    asked.append("quick")
    return team.key, more, most


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder to keep answers in, and what is worth it."""
    asked.clear()
    monkeypatch.setattr(once, "SLOW", 0.02)
    keep_in(tmp_path / "kept")
    yield tmp_path / "kept"
    keep_in(None)


def kept(folder):
    return sorted(folder.glob("*.answer"))


# In memory


def test_a_team_is_asked_once(folder):
    team = Data()
    assert slow(team) is slow(team)
    assert quick(team) == quick(team)
    assert asked == ["slow", "quick"]
    quick(team, 2), quick(team, most=3), quick(team, 2)
    assert asked == ["slow", *["quick"] * 3]
    assert quick(Data("other")) == ("other", 1, 2)


def test_what_is_forgotten_is_asked_again(folder):
    keep_in(None)
    team = Data()
    slow(team)
    forget(team)
    slow(team)
    assert len(asked) == 2


def test_an_error_is_nothing_to_keep(folder):
    @once.once
    def fails(team):
        asked.append(1)
        raise ValueError("no")

    team = Data()
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            fails(team)
    assert len(asked) == 2
    assert not [*folder.iterdir()], "and nobody is kept waiting for it"


def test_what_was_asked_can_be_had_ready():
    slow(Data())
    name = f"{__name__}:slow"
    assert name in asked_for()
    team = Data("another")
    ahead(team, frozenset({name, "no.such:thing", f"{__name__}:nothing"}))
    assert len(asked) == 2
    slow(team)
    assert len(asked) == 2


# On disk


def test_another_process_finds_it(folder):
    first = slow(Data())
    assert slow(Data()) == first
    assert asked == ["slow"]
    (path,) = kept(folder)
    assert path.stat().st_mode & 0o077 == 0 or os.name == "nt"
    assert folder.stat().st_mode & 0o077 == 0 or os.name == "nt"


def test_only_what_took_long_and_asks_for_the_team_alone_is_kept(folder):
    quick(Data())
    quick(Data(), 5)
    assert not kept(folder)


def test_nothing_is_kept_without_a_folder(folder):
    keep_in(None)
    slow(Data())
    slow(Data())
    assert len(asked) == 2
    assert not [*folder.iterdir()]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:20],
        lambda content: content[:-1],
        lambda content: content + b"x",
        lambda content: bytes([content[0] ^ 1]) + content[1:],
        lambda content: content[:-3] + bytes([content[-3] ^ 1]) + content[-2:],
        lambda content: content[:32] + pickle.dumps("planted"),
    ],
    ids=["empty", "short", "cut", "longer", "other sum", "a bit", "planted"],
)
def test_a_damaged_file_is_worked_out_again(folder, damage):
    first = slow(Data())
    (path,) = kept(folder)
    sound = path.read_bytes()
    path.write_bytes(damage(sound))
    assert slow(Data()) == [first[0], 2]
    assert len(asked) == 2
    assert path.read_bytes() != damage(sound), "and is whole again"
    slow(Data())
    assert len(asked) == 2


def test_the_answer_to_another_question_is_not_taken(folder):
    slow(Data("a"))
    (one,) = kept(folder)
    slow(Data("b"))
    (two,) = set(kept(folder)) - {one}
    two.write_bytes(one.read_bytes())
    assert slow(Data("b"))[0] == "b"


def test_other_data_or_code_is_another_question(folder, monkeypatch):
    slow(Data("a"))
    slow(Data("b"))
    assert len(asked) == 2
    monkeypatch.setattr(once, "code", lambda: "another version")
    assert slow(Data("a"))[0] == "a"
    assert len(asked) == 3


def test_the_code_is_every_file_of_the_package(tmp_path, monkeypatch):
    package = tmp_path / "salesnb"
    package.mkdir()
    (package / "once.py").write_text("1")
    (package / "words.toml").write_text("1")
    monkeypatch.setattr(once, "__file__", str(package / "once.py"))

    def fingerprint():
        return once.code.__wrapped__()

    first = fingerprint()
    (package / "once.pyc").write_text("compiled")
    assert fingerprint() == first
    (package / "words.toml").write_text("2")
    second = fingerprint()
    monkeypatch.setattr(once, "version", lambda name: "9")
    assert len({first, second, fingerprint()}) == 3


@needs_owner
def test_where_others_may_write_nothing_is_kept(tmp_path):
    for mode in (0o770, 0o707, 0o777):
        shared = tmp_path / f"{mode:o}"
        shared.mkdir()
        shared.chmod(mode)
        with pytest.raises(PermissionError, match="others may write"):
            keep_in(shared)
    real = tmp_path / "real"
    real.mkdir(mode=0o700)
    keep_in(real)


@needs_owner
def test_a_file_of_somebody_else_is_not_read(folder, monkeypatch):
    slow(Data())
    (path,) = kept(folder)
    path.chmod(0o666)
    assert slow(Data())[1] == 2, "others may have written into it"
    slow(Data())
    assert len(asked) == 2, "it was replaced by one of our own"
    monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 1)
    assert slow(Data())[1] == 3, "it belongs to another"


@needs_owner
def test_a_link_to_elsewhere_is_not_followed(folder, tmp_path):
    slow(Data())
    (path,) = kept(folder)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert slow(Data())[1] == 2


def test_the_oldest_go_when_the_folder_is_full(folder, monkeypatch):
    slow(Data("size"))
    (first,) = kept(folder)
    monkeypatch.setattr(once, "MOST", 3 * first.stat().st_size)
    for n in range(5):
        slow(Data(f"siz{n}"))
        for age, path in enumerate(sorted(kept(folder), key=lambda each: -each.stat().st_mtime_ns)):
            os.utime(path, (1e9 - age, 1e9 - age))
    assert len(kept(folder)) == 3
    n = len(asked)
    slow(Data("siz4"))
    assert len(asked) == n, "the latest is there"
    slow(Data("size"))
    assert len(asked) == n + 1, "the first is not"


def test_what_cannot_be_kept_is_still_answered(folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert slow(Data())[0] == "data"
    assert not [*folder.iterdir()]


def test_without_a_lock_it_is_answered_too(folder):
    folder.rmdir()
    folder.write_text("no folder any more")
    assert slow(Data())[0] == "data"


def test_nobody_waits_for_ever(folder, monkeypatch):
    monkeypatch.setattr(once, "PATIENCE", 0.1)
    other = FileLock(once._path(folder, f"{__name__}:slow", Data()).with_suffix(".lock"))
    with other:
        assert slow(Data())[0] == "data"


def test_what_no_file_can_hold_is_still_answered(folder, monkeypatch):
    monkeypatch.setattr(once, "SLOW", 0.0)

    @once.once
    def unkept(team):
        sum(range(100_000))
        return lambda: team.key

    assert unkept(Data())() == "data"


TOGETHER = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from salesnb import once
import test_once
once.SLOW = 0.02
once.keep_in({folder!r})
while not Path({go!r}).exists(): pass
print(test_once.slow(test_once.Data()), len(test_once.asked))
"""


def test_two_at_once_work_it_out_once(folder, tmp_path):
    code = TOGETHER.format(
        tests=str(Path(__file__).parent), folder=str(folder), go=str(tmp_path / "go")
    )
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    both = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=env)
        for _ in range(2)
    ]
    (tmp_path / "go").touch()
    said = [each.communicate(timeout=60)[0].split("] ") for each in both]
    assert {answer for answer, _ in said} == {"['data', 1"}
    assert sum(int(n) for _, n in said) == 1
    assert [path.suffix for path in folder.iterdir()] == [".answer"]
