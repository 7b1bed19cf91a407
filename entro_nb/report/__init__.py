"""Notebooks run in batch: checked parameters, a bounded pool, pages that stand alone offline."""

from entro_nb.report.manifest import Entry, Manifest
from entro_nb.report.progress import Bar, Lines, NoProgress, Progress
from entro_nb.report.runner import run

__all__ = ["Bar", "Entry", "Lines", "Manifest", "NoProgress", "Progress", "run"]
