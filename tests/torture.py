"""A notebook of all a kernel can be asked, and what is the same of two engines' answers."""

import json
import re

import papermill
from nbclient.exceptions import CellTimeoutError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

MAY_FAIL = "raises-exception"
SECONDS = 20  # for one of these cells in stock papermill
A_MOMENT = (
    "\nimport time; time.sleep(0.2)"  # for the usual kernel to hear of what is written below it
)
# By what is put to the test; each runs after those before it.
CELLS = {
    "a value": "1 + 1",
    "nothing": "",
    "a comment": "# no more",
    "quiet": "1;",
    "streams": "print('out')\nprint('more', end='')\nprint()",
    "stderr": "import sys\nprint('err', file=sys.stderr)",
    "interleaved": (
        "for n in range(3):\n"
        "    print('out', n)\n"
        "    print('err', n, file=sys.stderr)\n"
        "    display(n)"
    ),
    "carriage return": "print('10 %\\r20 %\\rdone')",
    "warning": "import warnings\nwarnings.warn('beware')",
    "logging": "import logging\nlogging.getLogger('x').warning('logged')",
    "names": "__name__, __doc__, In[1], Out[1], _i1",
    "figure, implicit": "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nprint('drawn')",
    "figure, last value": "plt.plot([2, 1])",
    "figures, two": "plt.figure()\nplt.figure()\nNone",
    "figure, show": "plt.plot([1, 3])\nplt.show()\nprint('after')",
    "figure, explicit": "fig, ax = plt.subplots()\nplt.close(fig)\nfig",
    "figure, format": "%config InlineBackend.figure_formats = ['svg']\nimport matplotlib\n"
    "matplotlib.rcParams['svg.hashsalt'] = 'x'\nplt.plot([1]); None",
    "figure, back": "%matplotlib inline\n%config InlineBackend.figure_formats = ['png']",
    "rc": "plt.rcParams['figure.dpi'], plt.rcParams['figure.facecolor'], plt.get_backend()",
    "HTML": "from IPython.display import *\nHTML('<b>bold</b>')",
    "rich": "display(Markdown('# m'), Latex('$x^2$'), JSON({'a': [1]}), SVG('<svg/>'))\nMath('x')",
    "own representation": (
        "class Own:\n    def _repr_html_(self):\n        print('while shown')\n"
        "        return '<i>own</i>'\nOwn()"
    ),
    "representation that fails": (
        "class Bad:\n    def _repr_html_(self):\n        raise ValueError('no')\n"
        "    def __repr__(self):\n        return 'Bad'\nBad()",
        MAY_FAIL,
    ),
    "table": "import pandas as pd\npd.DataFrame({'a': [1, 2]}, index=list('xy'))",
    "metadata": "display({'text/plain': 'p', 'x/y': 'z'}, raw=True, metadata={'x/y': {'k': 1}})",
    "display, named": "shown = display('first', display_id='a')\nshown.update('second')",
    "display, from a later cell": "update_display('third', display_id='a')",
    "display, unnamed": "handle = display('x', display_id=True)\nhandle.update('y')",
    "clear": "print('gone')\nclear_output()\nprint('kept')",
    "clear, wait": (
        "for n in range(3):\n    clear_output(wait=True)\n    print('step', n)\n    display(n)"
    ),
    "clear at the end": "print('stays')\nclear_output(wait=True)",
    "captured": "%%capture told\nprint('hidden')\nplt.plot([1])",
    "shown again": "told.show()\ntold.stdout",
    "magic, line": "%pwd\n%who_ls int",
    "magic, timed": "%timeit -n1 -r1 pass\n%time x = 1",
    "magic, cell timed": "%%time\nprint('timed')",
    "magic, unknown": ("%nonsense", MAY_FAIL),
    "magic, write": "%%writefile note.txt\nkept",
    "magic, run": "%%writefile own.py\nprint('I am', __name__)\nset_here = 5",
    "magic, run it": "%run own.py\nset_here",
    "magic, load_ext": "%load_ext autoreload\n%autoreload 2",
    "shell": "!echo hello\n!echo oops >&2",
    "shell, captured": "files = !cat note.txt\nfiles",
    "shell, fails": "!false\n_exit_code",
    "bash": "%%bash\necho one\necho two >&2",
    "bash, fails": ("%%bash\nexit 3", MAY_FAIL),
    "script": "%%python3\nprint('another python')",
    "subprocess": "import subprocess\nsubprocess.run(['echo', 'from below'])" + A_MOMENT,
    "file descriptor": "import os\nos.write(1, b'raw out\\n')" + A_MOMENT,
    "file descriptor, err": "os.write(2, b'raw err\\n')" + A_MOMENT,
    "libc": (
        "import ctypes\nlibc = ctypes.CDLL(None)\nlibc.puts(b'from C')\nlibc.fflush(None)"
        + A_MOMENT
    ),
    "fileno": "sys.stdout.isatty(), sys.stdout.encoding, type(sys.stdout.fileno()).__name__",
    "stdin": ("input('your name')", MAY_FAIL),
    "password": ("import getpass\ngetpass.getpass()", MAY_FAIL),
    "exception": ("1 / 0", MAY_FAIL),
    "exception, chained": (
        "try:\n    {}['a']\nexcept KeyError as error:\n    raise ValueError('b') from error",
        MAY_FAIL,
    ),
    "exception, group": ("raise ExceptionGroup('g', [ValueError(1), TypeError(2)])", MAY_FAIL),
    "exception, after output": ("print('before')\nraise RuntimeError('then')", MAY_FAIL),
    "exception, huge": ("raise ValueError('x' * 100_000)", MAY_FAIL),
    "exception, own traceback": (
        "class Plain(Exception):\n    def _render_traceback_(self):\n        return ['plainly']\n"
        "raise Plain('no')",
        MAY_FAIL,
    ),
    "syntax": ("for", MAY_FAIL),
    "indentation": ("  x = 1\n y = 2", MAY_FAIL),
    "interrupt": ("raise KeyboardInterrupt", MAY_FAIL),
    "exit": ("import sys\nsys.exit(3)", MAY_FAIL),
    "exit, shown": "%tb",
    "debug after": "sys.last_type.__name__ if hasattr(sys, 'last_type') else 'none'",
    "await": "import asyncio\nawait asyncio.sleep(0.01)\n'slept'",
    "async for": (
        "async def count():\n    for n in range(3):\n        yield n\n"
        "[n async for n in count()]"
    ),
    "gather": (
        "async def one(n):\n    await asyncio.sleep(0.01 * n)\n    print('task', n)\n    return n\n"
        "await asyncio.gather(one(2), one(1))"
    ),
    "task left": (
        "async def later():\n    await asyncio.sleep(0.05)\n    print('late')\n    return 7\n"
        "job = asyncio.create_task(later())\nprint('begun')"
    ),
    "task awaited": "await job",
    "loop": "asyncio.get_running_loop().is_running()",
    "run, nested": ("asyncio.run(later())", MAY_FAIL),
    "thread": (
        "import threading\nthread = threading.Thread(target=print, args=('from a thread',))\n"
        "thread.start()\nthread.join()"
    ),
    "threads, many": (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(4) as pool:\n    print(sum(pool.map(abs, range(100))))"
    ),
    "thread, fails": (
        "def broken():\n    raise ValueError('in a thread')\n"
        "thread = threading.Thread(target=broken, name='T')\nthread.start()\nthread.join()"
    ),
    "processes": (
        "from multiprocessing import get_context\n"
        "with get_context('fork').Pool(2) as pool:\n    print(pool.map(abs, [-1, -2]))"
    ),
    "fork that prints": (
        "child = os.fork()\nif child == 0:\n    print('child')\n    sys.stdout.flush()\n"
        "    os._exit(0)\nos.waitpid(child, 0)" + A_MOMENT
    ),
    "unicode": (
        "print('Zoë \\U0001f600 \\x1b[31mred\\x1b[0m \\x00')\n"
        "'\\ud83d'.encode('utf-8', 'replace')"
    ),
    "widget": "import ipywidgets as widgets\nwidgets.IntSlider(value=3)",
    "widget, shown": "box = widgets.HBox([widgets.Label('a'), widgets.Button()])\ndisplay(box)",
    "widget, changed": "box.children[0].value = 'b'",
    "widget, output": (
        "out = widgets.Output()\nwith out:\n    print('inside')\n    display(HTML('<i>in</i>'))\n"
        "out"
    ),
    "widget, output later": "with out:\n    clear_output()\n    print('later')",
    "widget, output decorated": (
        "@out.capture()\ndef shout():\n    print('shout')\nshout()\nprint('outside')"
    ),
    "widget, output fails": ("with out:\n    1 / 0", MAY_FAIL),
    "interact": "widgets.interact(lambda n: print('n is', n), n=(0, 4));",
    "help": "len?",
    "source": "import textwrap\ntextwrap.dedent?",
    "signals": "import signal\nsignal.getsignal(signal.SIGINT) is signal.default_int_handler",
    "random": "import numpy as np\nnp.random.seed(1)\nnp.random.random()",
    "environment": "os.path.exists('note.txt'), os.environ['ASKED']",
    "modules": "'__main__' in sys.modules and sys.modules['__main__'].__dict__ is globals()",
    "pickle": "import pickle\npickle.loads(pickle.dumps(Own)) is Own",
    "history": "%history -l 1",
    "path": "'' in sys.path",
    "ask": "get_ipython().ask_exit.__name__, get_ipython().user_ns is globals()",
    # Late, for papermill writes all that came before once more around every cell.
    "huge, one line": "print('x' * 5_000_000)",
    "huge, many lines": "for n in range(20_000):\n    print(n)",
    "huge, below": "subprocess.run(['seq', '20000'])" + A_MOMENT,
    "huge value": "list(range(5000))",
    "at exit": "import atexit\n_ = atexit.register(print, 'bye')",
    "last": "'the end'",
}  # fmt: skip


def notebook() -> NotebookNode:
    """The notebook; a cell's metadata tells what it puts to the test."""
    cells = [new_markdown_cell("# Torture")]
    for name, what in CELLS.items():
        source, tags = what if isinstance(what, tuple) else (what, None)
        tagged = {"tags": [tags]} if tags else {}
        cells.append(new_code_cell(source, metadata={"of": name, **tagged}))
    spec = {"name": "python3", "display_name": "Python", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": spec})


# What is new in every process: its number, addresses in its memory, the ids of displays and
# widgets, the day, and how long something took.
NEW = {
    r"ipykernel_\d+": "ipykernel",
    r"0x[0-9a-f]{6,}": "0x",
    r"[0-9a-f]{32}": "id",
    r"<dc:date>[^<]*": "<dc:date>",
    r"\b[\d.]+(e[+-]\d+)? [nmµμ]?s\b": "time",
    r", total: time": "",
}


def answers(cells: list[NotebookNode]) -> list:
    """Cell by cell its count and its outputs, joined, and without what is new."""
    return [
        (cell.get("execution_count"), _steady([*joined(cell.get("outputs", []))])) for cell in cells
    ]


def widgets(notebook: NotebookNode) -> list[str]:
    """The state of each widget of a notebook, in an order of their own."""
    about = notebook.metadata.get("widgets", {}).values()
    states = [state for each in about for state in each["state"].values()]
    return sorted(json.dumps(_steady(state), sort_keys=True) for state in states)


def joined(outputs: list) -> list[dict]:
    """Outputs with adjacent pieces of one stream as one: where they are cut is a matter of time."""
    kept = []
    for output in outputs:
        last = kept[-1] if kept else {}
        if output["output_type"] == "stream" and last.get("name") == output["name"]:
            kept[-1] = {**last, "text": last["text"] + output["text"]}
        else:
            kept.append(dict(output))
    return kept


def _steady(what):
    text = json.dumps(what, ensure_ascii=False)
    for new, steady in NEW.items():
        text = re.sub(new, steady, text)
    return json.loads(text)


def by_stock(path, output, tries=3, seconds=SECONDS, **options):
    """A notebook executed by stock papermill, which now and then waits for ever; then once more."""
    try:
        return papermill.execute_notebook(
            path, output, progress_bar=False, execution_timeout=seconds, **options
        )
    except CellTimeoutError:
        if tries == 1:
            raise
        return by_stock(path, output, tries - 1, seconds, **options)
