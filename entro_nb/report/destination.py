"""The folder of a report: looked at before anything runs, filled when all has run."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType

from entro_nb.errors import ReportError
from entro_nb.report import manifest

__all__ = ["INDEX", "Destination"]

INDEX = "index.html"


class Destination:
    """Folder that a report goes to, with a hidden one in it to work in.

    What a former report left there is replaced; a file of anybody else's is not. The manifest is
    taken away first and written last: a folder that holds one holds a whole report.

    Parameters
    ----------
    folder : Path
        Where the report goes; made if need be.
    files : iterable of str
        Names that the report will write there.

    Raises
    ------
    ReportError
        If the folder cannot be made or written to, or a file that no report made is in the way.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as home:
    ...     with Destination(Path(home) / "out", []) as out:
    ...         _ = (out.work / "a.html").write_text("a")
    ...         out.publish({"a.html": out.work / "a.html"}, "{}")
    ...     sorted(path.name for path in (Path(home) / "out").iterdir())
    ['a.html', 'manifest.json']
    """

    def __init__(self, folder: Path, files: Iterable[str]) -> None:
        self.folder = folder.resolve()
        self._made: list[Path] = []
        if self.folder.exists() and not self.folder.is_dir():
            raise ReportError(f"{folder} is a file: a report goes to a folder")
        self.former = self._former()
        for name in (INDEX, *files):
            path = self.folder / name
            if path.is_dir() or (path.exists() and name not in self.former):
                raise ReportError(
                    f"{path} is in the way and no report made it: move it, or choose another folder"
                )
        try:
            self._make()
            self.work = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=self.folder))
        except OSError as error:
            self._unmake()
            raise ReportError(f"cannot write to {folder}: {error.strerror}") from error

    def __enter__(self) -> Destination:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        shutil.rmtree(self.work, ignore_errors=True)
        self._unmake()

    def publish(self, files: Mapping[str, Path], text: str) -> None:
        """Replace the former report by these files and this manifest."""
        try:
            (self.folder / manifest.FILE).unlink(missing_ok=True)
            for name in self.former:
                (self.folder / name).unlink(missing_ok=True)
            for name, path in files.items():
                path.replace(self.folder / name)
            unfinished = self.work / manifest.FILE
            unfinished.write_text(text, encoding="utf-8")
            unfinished.replace(self.folder / manifest.FILE)
        except OSError as error:
            raise ReportError(f"cannot write to {self.folder}: {error.strerror}") from error

    def _former(self) -> frozenset[str]:
        """Files that the former report left; none if there was none."""
        path = self.folder / manifest.FILE
        try:
            former = manifest.Manifest.from_json(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return frozenset()
        except (OSError, UnicodeError, ReportError) as error:
            raise ReportError(
                f"{path} is in the way and no report made it: move it, or choose another folder"
            ) from error
        # Plain names only: a manifest somebody edited must not reach outside the folder.
        return frozenset({INDEX, *(os.path.basename(name) for name in former.files)})

    def _make(self) -> None:
        missing = [p for p in (self.folder, *self.folder.parents) if not p.exists()]
        for path in reversed(missing):
            path.mkdir()
            self._made.append(path)

    def _unmake(self) -> None:
        """Take away the folders that were made, as long as they are empty."""
        for path in reversed(self._made):
            with contextlib.suppress(OSError):
                path.rmdir()
