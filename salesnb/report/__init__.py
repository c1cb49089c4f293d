"""Pages from notebooks: which to run, how, for whom, and what they look like."""

# As it is loaded, papermill asks for the engines of all packages, `salesnb.report.engine` too; that
# in turn needs papermill, so papermill goes first.
import papermill  # noqa: F401
