"""Plots, the HTML report and the summary table of a run."""

from tinynas.report.html import write_html
from tinynas.report.run import read_run
from tinynas.report.summary import summary_table

__all__ = ["read_run", "summary_table", "write_html"]
