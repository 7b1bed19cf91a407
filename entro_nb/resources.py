"""Where the notebooks and the data are: in the checkout, or where a wheel put them."""

from __future__ import annotations

import sys
from pathlib import Path

from entro_nb.errors import ReportError

__all__ = ["data", "notebooks", "root"]


def root() -> Path:
    """Folder that holds ``notebooks/`` and ``data/``.

    Raises
    ------
    ReportError
        If neither a checkout nor an installed copy is found.

    Examples
    --------
    >>> (root() / "notebooks").is_dir()
    True
    """
    checkout = Path(__file__).resolve().parents[1]
    installed = Path(sys.prefix) / "share" / "entro_nb"
    for folder in (checkout, installed):
        if (folder / "notebooks").is_dir():
            return folder
    raise ReportError(f"no notebooks found: looked in {checkout} and {installed}")


def notebooks() -> Path:
    """Folder of the notebooks."""
    return root() / "notebooks"


def data(name: str = "") -> Path:
    """Folder of the data that come with the package, or one file in it."""
    return root() / "data" / name
