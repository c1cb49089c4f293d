"""Notebooks made into pages: plan and run the batch, execute one notebook, render one page."""
