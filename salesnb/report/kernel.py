"""An IPython kernel in this very process, for notebooks that are run in a process of their own.

It is the kernel of any notebook, with its start-up files, its magics and its ways of showing
things; only the sockets are missing. What it publishes is kept in order and handed to nbclient as
if it had come from far away, so that nbclient makes the same outputs of it.
"""

import asyncio
import logging
import os
import signal
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty
from types import SimpleNamespace
from typing import Any

import traitlets
import zmq
from ipykernel.iostream import IOPubThread
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from jupyter_client.session import Session
from tornado.ioloop import IOLoop

POLL = 0.005  # seconds; what a cell leaves running in the background may still publish


class Wire(IOPubThread):
    """What the kernel takes for its sockets and the thread behind them: messages are kept."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.thread: Any = None
        self.io_loop: Any = self
        self.messages: deque[dict[str, Any]] = deque()
        self.process = os.getpid()

    def schedule(self, f: Any) -> None:
        """There is no other thread to do it in."""
        f()

    def call_later(self, *_: Any) -> None:
        """What is written is published at the end of the cell, or before what comes next."""

    def send_multipart(self, parts: list[Any], *_: Any, **__: Any) -> None:
        """Keep a message; one from a process that a cell forked goes through its output."""
        message = self.session.deserialize(self.session.feed_identities(parts)[1])
        if os.getpid() == self.process:
            self.messages.append(message)
        elif message["msg_type"] == "stream":
            os.write(1, message["content"]["text"].encode())

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:
        """The next message; `Empty` where none comes in time (nbclient's way)."""
        loop = asyncio.get_running_loop()
        end = None if timeout is None else loop.time() + timeout
        while not self.messages:
            if end is not None and loop.time() >= end:
                raise Empty
            await asyncio.sleep(POLL)
        return self.messages.popleft()

    def send(self, message: dict[str, Any]) -> None:
        """What a widget's other half sends back to the kernel; nobody waits for an answer."""
        kernel = WiredKernel.instance()
        kernel.shell_handlers[message["header"]["msg_type"]](self, [], {"buffers": [], **message})


class WiredKernel(IPythonKernel):
    """The usual kernel, on wires: one shell, in this thread, asked one thing at a time."""

    shell_stream: Any = traitlets.Any()
    shell_channel_thread = traitlets.Any(SimpleNamespace(parent_thread=threading.main_thread()))
    _supports_kernel_subshells = False
    _execute_sleep = 0.0  # no other thread has anything left to publish

    def _abort_queues(self, subshell_id: str | None = None) -> None:
        """Nothing is queued."""


class KernelApp(IPKernelApp):
    """The kernel's own start-up without connection, heartbeat and signals."""

    def init_connection_file(self, **_: Any) -> None:
        """Nobody connects."""

    init_crash_handler = init_poller = init_heartbeat = init_signal = init_connection_file
    write_connection_file = log_connection_info = init_connection_file

    def init_sockets(self) -> None:
        """Lay the wires."""
        self.session = Session(parent=self, key=b"")
        self.iopub_thread = self.iopub_socket = Wire(self.session)
        self.shell_socket = Wire(self.session)

    def init_kernel(self) -> None:
        """Make the kernel on these wires."""
        self.kernel = WiredKernel.instance(
            parent=self,
            session=self.session,
            shell_stream=self.shell_socket,
            iopub_thread=self.iopub_thread,
            iopub_socket=self.iopub_socket,
            log=self.log,
            profile_dir=self.profile_dir,
            user_ns=self.user_ns,
        )
        self.displayhook.get_execution_count = lambda: self.kernel.execution_count


class Kernel:
    """The kernel as nbclient sees it: its manager and its client in one.

    seconds : how long a cell may take; then it is interrupted, and nbclient told of no answer
    """

    has_kernel = True
    ipykernel = True
    allow_stdin = False

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = seconds
        self.is_broken = False
        self.app = KernelApp.instance(capture_fd_output=False, log_level=logging.CRITICAL)
        self.app.config.HistoryManager.hist_file = ":memory:"
        self.app.initialize([])
        _show_figures(self.app.shell)
        self.session = self.app.session
        self.shell_channel, self.iopub_channel = self.app.shell_socket, self.app.iopub_socket
        self.iopub_channel.messages.clear()
        _catch_output(self.app.shell)

    def client(self) -> "Kernel":
        """It speaks for itself."""
        return self

    def is_alive(self) -> bool:
        """Unless it gave no answer."""
        return not self.is_broken

    def start_channels(self) -> None:
        """There are none."""

    stop_channels = cleanup_resources = start_channels

    def wait_for_ready(self, timeout: float | None = None) -> None:
        """It is."""

    def shutdown_kernel(self, now: bool = False) -> None:
        """It ends with its process."""

    def interrupt_kernel(self) -> None:
        """It was, before nbclient could ask."""

    def kernel_info(self) -> str:
        """Ask what kernel this is; returns the id of the question."""
        question = self.session.msg("kernel_info_request")
        content = {"status": "ok", **self.app.kernel.kernel_info}
        self.session.send(self.shell_channel, "kernel_info_reply", content, parent=question)
        return question["msg_id"]

    async def execute(
        self, code: str, *, store_history: bool = True, stop_on_error: bool = True
    ) -> str:
        """Run code to its end; returns the id of the request, as nbclient expects."""
        content = {
            "code": code,
            "silent": False,
            "store_history": store_history,
            "user_expressions": {},
            "allow_stdin": self.allow_stdin,
            "stop_on_error": stop_on_error,
        }
        request = self.session.msg("execute_request", content)
        parts = [zmq.Message(part) for part in self.session.serialize(request)]
        self.app.kernel.io_loop = IOLoop.current()
        with _at_most(self.seconds) as is_late:
            await self.app.kernel.dispatch_shell(parts)
        self.is_broken = not self.shell_channel.messages
        if is_late:
            self.shell_channel.messages.clear()
        return request["msg_id"]


def _show_figures(shell: Any) -> None:
    """Let a matplotlib that was loaded before this kernel show figures below its cells."""
    if "matplotlib.pyplot" in sys.modules and os.environ["MPLBACKEND"].endswith("backend_inline"):
        shell.enable_matplotlib("inline")


def _catch_output(shell: Any) -> None:
    """Show, after each cell, what programs it started and libraries below Python have written."""
    caught = []
    streams: tuple[Any, Any] = sys.stdout, sys.stderr
    for number, stream in enumerate(streams, 1):
        stream._original_stdstream_copy = os.dup(number)  # what `fileno` gives, as in any kernel
        file = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process
        os.dup2(file.fileno(), number)
        caught.append((file, stream))

    def show() -> None:
        for file, stream in caught:
            os.lseek(file.fileno(), seen[stream], os.SEEK_SET)
            text = file.read()
            seen[stream] += len(text)
            stream.write(text.decode(errors="replace"))

    seen = dict.fromkeys((sys.stdout, sys.stderr), 0)
    shell.events.register("post_execute", show)


@contextmanager
def _at_most(seconds: float | None) -> Iterator[list[int]]:
    """Interrupt what takes longer; then the list is no longer empty."""
    passed: list[int] = []

    def interrupt(*_: Any) -> None:
        passed.append(1)
        raise KeyboardInterrupt

    if seconds is None:
        yield passed
        return
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield passed
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
