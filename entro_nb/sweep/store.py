"""The Zarr store of a sweep: filled piece by piece, each marked as finished when it is whole."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from entro_nb.errors import SweepError
from entro_nb.sweep.plan import Plan, Tile, tiles
from entro_nb.sweep.task import Template

__all__ = ["Store", "needs"]

#: Attribute of the store that holds the sweep it is of.
IDENTITY = "entro_nb_sweep"
FINISHED = "finished"


def needs(what: str) -> SweepError:
    """What to install for a part that is not."""
    return SweepError(f'{what} is not installed: pip install "entro-nb[scale]"')


class Store:
    """A sweep's results on disk.

    A piece is written first and marked as finished last, and files are replaced whole: whatever
    ends the process, what is marked is whole and what is not is run again.

    Parameters
    ----------
    path : path-like
        Folder of the store; made if it is not there.
    plan : Plan
        The sweep.
    template : Template
        Variables of one run.
    size : tuple of int
        Runs on each axis in a piece. A store that exists keeps its own.

    Raises
    ------
    SweepError
        If the folder holds anything but a store of this very sweep, or cannot be written to.
    """

    def __init__(self, path: Path, plan: Plan, template: Template, size: tuple[int, ...]) -> None:
        try:
            import zarr
        except ImportError as error:
            raise needs("zarr") from error
        self.path = Path(path)
        identity = plan.identity() | {
            "code": plan.simulation.fingerprint(),
            "variables": [*template.variables],
        }
        with self._writing("before the first run"):
            if not self.path.exists():
                self._create(zarr, plan, template, size, identity)
            elif not self.path.is_dir() or any(self.path.iterdir()):
                self._check(zarr, identity)
            else:
                self._create(zarr, plan, template, size, identity)
            self._group: Any = zarr.open_group(str(self.path), mode="r+", use_consolidated=False)
        self.names = [*template.variables]
        kept: Any = self._group.attrs["tile"]
        self.size = tuple(int(n) for n in kept)
        self.tiles = tiles(plan.shape, self.size)

    def _create(
        self, zarr: Any, plan: Plan, template: Template, size: tuple[int, ...], identity: Any
    ) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Made elsewhere and moved, so that half a store never stands there.
        work = Path(tempfile.mkdtemp(prefix=f".{self.path.name}-", dir=self.path.parent))
        try:
            group = zarr.open_group(str(work / "store"), mode="w")
            group.attrs.update(template.attributes(plan) | {IDENTITY: json.dumps(identity)})
            group.attrs["tile"] = list(size)
            for name, (dims, values, attrs) in template.coordinates(plan).items():
                data = np.asarray(values)
                if data.dtype.kind == "U":  # text of a fixed width has no place in Zarr's format
                    data = data.astype(np.dtypes.StringDType())
                made = group.create_array(name, data=data, dimension_names=dims)
                made.attrs.update(attrs)
            for name, v in template.variables.items():
                made = group.create_array(
                    name,
                    shape=(*plan.shape, *v.shape),
                    chunks=(*size, *(max(n, 1) for n in v.shape)),
                    dtype=v.dtype,
                    fill_value=math.nan if np.dtype(v.dtype).kind == "f" else 0,
                    dimension_names=(*plan.dims, *v.dims),
                )
                made.attrs.update(v.attributes)
            pieces = len(tiles(plan.shape, size))
            # Zarr would not store a chunk of the fill value: 0 is what no one has written.
            group.create_array(
                FINISHED, shape=(pieces,), chunks=(1,), dtype="u1", fill_value=0,
                dimension_names=("piece",),
            )  # fmt: skip
            if self.path.exists():
                self.path.rmdir()
            (work / "store").rename(self.path)
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _check(self, zarr: Any, identity: Mapping[str, Any]) -> None:
        other = SweepError(f"{self.path} holds something that no sweep made: choose another place")
        if not self.path.is_dir():
            raise other
        try:
            group = zarr.open_group(str(self.path), mode="r", use_consolidated=False)
            found = json.loads(str(group.attrs[IDENTITY]))
            shape = group[FINISHED].shape
        except (KeyError, ValueError, FileNotFoundError, OSError) as error:
            raise other from error
        wanted = json.loads(json.dumps(identity))
        differing = [name for name in wanted if found.get(name) != wanted[name]]
        if differing == ["code"]:
            raise SweepError(
                f"{self.path} was begun by another version of the code, whose runs are not to be "
                "mixed with this one's: choose another place, or remove it"
            )
        if differing:
            raise SweepError(
                f"{self.path} holds another sweep (its {', '.join(differing)} "
                f"differ{'s' if len(differing) == 1 else ''}): choose another place"
            )
        if len(shape) != 1:
            raise other

    @property
    def finished(self) -> set[int]:
        """Numbers of the pieces that are whole."""
        flags = np.asarray(self._group[FINISHED][:])
        return {int(k) for k in np.flatnonzero(flags)}

    def write(self, number: int, tile: Tile, arrays: Mapping[str, Any]) -> None:
        """Write one piece, then mark it as finished."""
        with self._writing("what is finished is safe; run it again to go on"):
            for name in self.names:
                self._group[name][tile] = arrays[name]
            self._group[FINISHED][number] = 1

    @contextmanager
    def _writing(self, consequence: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            raise SweepError(f"cannot write to {self.path}: {reason} ({consequence})") from error

    def open(self, *, lazily: bool) -> Any:
        """The results as a Dataset, read when asked for or at once."""
        import xarray as xr

        chunks: dict[str, int] | None = {} if lazily else None
        data = xr.open_zarr(str(self.path), consolidated=False, chunks=chunks)
        data = data.drop_vars(FINISHED)
        return data if lazily else data.load()
