"""Pages from notebooks: which to run, how, for whom, and what they look like."""

import sys

# With papermill comes jsonschema, which at once builds a grammar of addresses in all alphabets:
# more than a second, for a kind of value that no notebook has. Without, it checks all else.
GRAMMAR = "rfc3987_syntax"
is_first = "jsonschema" not in sys.modules and GRAMMAR not in sys.modules
if is_first:
    sys.modules[GRAMMAR] = None  # type: ignore[assignment]

# As it is loaded, papermill asks for the engines of all packages, `salesnb.report.engine` too; that
# in turn needs papermill, so papermill goes first.
import papermill  # noqa: E402, F401

if is_first:
    del sys.modules[GRAMMAR]
