"""The folder of a report: looked at before anything runs, filled when all has run."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType

from entro_nb.errors import ReportError
from entro_nb.report import manifest

__all__ = ["HIDDEN", "INDEX", "Destination"]

INDEX = "index.html"

#: Folder of the runs that are finished when the report is not.
HIDDEN = ".finished"
#: Names of the files that are being replaced.
JOURNAL = ".publishing"


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
        #: What the former report holds, none if there was none.
        self.entries: tuple[manifest.Entry, ...] = ()
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
            self._sweep()
            self.work = Path(tempfile.mkdtemp(prefix=f"{_mine()}-", dir=self.folder))
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
        for name in files:
            if (self.folder / name).exists() and name not in self.former:
                raise ReportError(
                    f"{self.folder / name} is in the way and no report made it: "
                    "move it, or choose another folder"
                )
        journal = self.folder / JOURNAL
        unfinished = self.work / manifest.FILE
        try:
            # All that takes room on the disk comes first: what follows only moves files.
            unfinished.write_text(text, encoding="utf-8")
            # Should this be cut short, the next report knows what lies about from this one.
            journal.write_text(json.dumps(sorted({*self.former, *files})), encoding="utf-8")
            (self.folder / manifest.FILE).unlink(missing_ok=True)
            for name in self.former:
                (self.folder / name).unlink(missing_ok=True)
            for name, path in files.items():
                path.replace(self.folder / name)
            unfinished.replace(self.folder / manifest.FILE)
            journal.unlink()
            shutil.rmtree(self.folder / HIDDEN, ignore_errors=True)
        except OSError as error:
            raise ReportError(f"cannot write to {self.folder}: {error.strerror}") from error

    def _former(self) -> frozenset[str]:
        """Files that the former report left; none if there was none."""
        path = self.folder / manifest.FILE
        try:
            former = manifest.Manifest.from_json(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return self._cut_short()
        except (OSError, UnicodeError, ReportError) as error:
            raise ReportError(
                f"{path} is in the way and no report made it: move it, or choose another folder"
            ) from error
        self.entries = former.entries
        # Plain names only: a manifest somebody edited must not reach outside the folder.
        named = {INDEX, *(os.path.basename(name) for name in former.files)}
        return frozenset(named) | self._cut_short()

    def _cut_short(self) -> frozenset[str]:
        """Files that a report was about to write when it was ended by force."""
        try:
            names = json.loads((self.folder / JOURNAL).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return frozenset()
        return frozenset(os.path.basename(str(name)) for name in names)

    def _sweep(self) -> None:
        """Take away the working folders of runs on this machine that were ended by force."""
        host = _mine().rpartition("-")[0]
        for path in self.folder.glob(f"{host}-*"):
            number = path.name.removeprefix(f"{host}-").partition("-")[0]
            if number.isdigit() and not _alive(int(number)):
                shutil.rmtree(path, ignore_errors=True)

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


def _mine() -> str:
    """Beginning of the names of this process's working folders."""
    host = re.sub(r"[^A-Za-z0-9.]", "_", platform.node())
    return f".unfinished-{host}-{os.getpid()}"


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's, or a system that cannot say
        return True
    return True
