"""Which code made a result: a digest of the package's own files."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path

__all__ = ["code", "digest", "mathematics"]

#: What shows and runs results, and does not make them.
SHELL = {"views", "report", "cli.py"}


def digest(root: Path, files: Iterable[Path]) -> str:
    """Digest of files and of their names within a folder, in hexadecimal."""
    total = hashlib.sha256()
    for path in sorted(files):
        name = path.relative_to(root).as_posix()
        total.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


@functools.cache
def code() -> str:
    """Digest of every source file, template and table of the package.

    Examples
    --------
    >>> len(code()), code() == mathematics()
    (64, False)
    """
    package = Path(__file__).parent
    return digest(package, _sources(package))


@functools.cache
def mathematics() -> str:
    """Digest of the part of the package that results depend on: all but views, reports, command."""
    package = Path(__file__).parent
    return digest(
        package, [f for f in _sources(package) if f.relative_to(package).parts[0] not in SHELL]
    )


def _sources(package: Path) -> list[Path]:
    # Numba writes its cache beside the sources; it comes from them.
    return [f for f in package.rglob("*") if f.is_file() and "__pycache__" not in f.parts]
