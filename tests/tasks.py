"""What the tests give to workers to do: functions that another process can import."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from salesnb.report import task


def add(a, b):
    return a + b


def fail():
    raise ValueError("no such luck")


def leave():
    sys.exit("that is all")


def stop_at_once():
    os._exit(3)


def killed():
    os.kill(os.getpid(), signal.SIGKILL)


def talk():
    for n in range(3):
        task.say(n)
    return "done"


def hang():
    task.say("hanging")
    time.sleep(60)


def hang_deaf():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    task.say("deaf")
    time.sleep(60)


def hog(mib):
    """Ask for memory and hold it, in several pieces."""
    held = [bytearray(2**20) for _ in range(mib)]
    return len(held)


def leave_a_program(note):
    """Leave behind a program that runs on, and its number."""
    program = subprocess.Popen(["sleep", "60"])
    Path(note).write_text(str(program.pid))


def leave_a_fork(note):
    """Be killed, while a process forked from this one holds all its lines open."""
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    Path(note).write_text(str(child))
    killed()


def unsayable():
    """Something that no other process can be given."""
    return lambda: None


def unreadable():
    """Something that breaks whoever reads it."""
    return Trap()


class Trap:
    def __reduce__(self):
        return _spring, ()


def _spring():
    raise RuntimeError("sprung")


def warm():
    global is_warm
    is_warm = True


def warmer(what):
    global is_warm
    is_warm = what


is_warm: object = False


def was_warm():
    return is_warm


def draw():
    import numpy as np

    return float(np.random.random())  # noqa: NPY002 - the state that a fork inherits


def import_numpy():
    import numpy  # noqa: F401
