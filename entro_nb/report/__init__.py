"""Notebooks run in batch: checked parameters, a bounded pool, pages that stand alone offline."""

from entro_nb.report.folder import Checkout, Entry, Manifest
from entro_nb.report.run import Bar, Lines, Progress, run_report

__all__ = [
    "Bar", "Checkout", "Entry", "Lines", "Manifest", "Progress", "run_report",
]  # fmt: skip
