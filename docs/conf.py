"""How the documentation is built: make docs."""

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

import salesnb
from salesnb.report import standing

ROOT = Path(__file__).parents[1]

project = "salesnb"
release = salesnb.__version__

# The folder of the sources is the project's own, so that links are the same here as in the files.
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md", "notebooks/*.ipynb"]
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]

myst_heading_anchors = 3
myst_fence_as_directive = ["math"]  # as GitHub writes formulas
# What the notebooks gave is kept as long as notebooks, demo and code stay as they are.
nb_execution_mode = "cache"
nb_execution_cache_path = str(
    ROOT / "build" / "notebooks" / standing.sources(ROOT / "data" / "demo", ROOT / "notebooks")
)
nb_execution_timeout = 600
nb_ipywidgets_js = {}  # sliders are for JupyterLab; nothing is loaded from the network
nb_merge_streams = True

autodoc_typehints = "none"  # types stand in the signature
autodoc_member_order = "alphabetical"
add_module_names = False
default_role = "literal"
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"salesnb {release}"
html_math_renderer = "mathml"
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False


def formula(page: HTML5Translator, node: nodes.math | nodes.math_block) -> None:
    """Write a formula as MathML: browsers show it by themselves, without a script."""
    page.body.append(tex2mathml(node.astext(), as_block=isinstance(node, nodes.math_block)))
    raise nodes.SkipNode


NAMES = r"([a-z_0-9]+(?:, [a-z_0-9]+)*)"


def rows(line: str) -> list[str]:
    """A line of a docstring as napoleon takes it: columns as a list, options with their text."""
    if found := re.fullmatch(rf" {{4}}{NAMES}(?: : (.*))?", line):
        names = ", ".join(f"``{name}``" for name in found[1].split(", "))
        return [f"    - {names}" + (f": {found[2]}" if found[2] else "")]
    if found := re.fullmatch(rf"{NAMES} : (.*)", line):
        return [found[1], f"    {found[2]}"]
    return [re.sub(r"^ {8}(?=\S)", " " * 6, line)]


def tidied(_app: Sphinx, _what: str, _name: str, _object: Any, _options: Any, said: list) -> None:
    """Rewrite a docstring in place: what it says of columns reads as a list."""
    said[:] = [row for line in said for row in rows(line)]


def setup(app: Sphinx) -> None:
    """Tell Sphinx of what it lacks."""
    app.add_html_math_renderer("mathml", (formula, None), (formula, None))
    app.connect("autodoc-process-docstring", tidied, priority=400)  # before napoleon
