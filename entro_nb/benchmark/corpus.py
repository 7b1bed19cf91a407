"""Streams of the benchmark, the windows that people marked in them, and the published scores."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from entro_nb import settings, validate
from entro_nb.errors import ParameterError, ParameterTypeError
from entro_nb.validate import FloatArray

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class LabelledStream:
    """A recorded stream with the windows in which people marked something unusual.

    Parameters
    ----------
    name : str
        Folder and file, as the benchmark has them.
    time : ndarray
        When each value was recorded, datetime64, shape (n,). Some clocks were put back.
    values : ndarray
        The values in units of their own, shape (n,).
    windows : tuple of range
        Places of the values in each window, in order, none in two.

    Examples
    --------
    >>> taxi = nab_corpus()["realKnownCause/nyc_taxi.csv"]
    >>> taxi.category, len(taxi.values), taxi.probation, taxi.windows[0]
    ('realKnownCause', 10320, 750, range(5839, 6046))
    """

    name: str
    time: npt.NDArray[np.datetime64]
    values: FloatArray
    windows: tuple[range, ...]

    def __post_init__(self) -> None:
        size = validate.same_length(time=self.time, values=self.values)
        last = 0
        for window in self.windows:
            if not last <= window.start < window.stop <= size or window.step != 1:
                allowed = f"a range of places within [{last}, {size})"
                raise ParameterError(f"window of {self.name}", window, allowed)
            last = window.stop

    @property
    def category(self) -> str:
        """Folder of the benchmark that the stream is in."""
        return self.name.rpartition("/")[0]

    @property
    def probation(self) -> int:
        """Values at the start from which a detector may learn, and in which nothing counts."""
        return probation(len(self.values))


#: All files, and those at odd and at even places of the alphabetical list: 1, 3, …; 2, 4, ….
HALVES: Mapping[str, slice] = MappingProxyType(
    {"all": slice(None), "odd": slice(0, None, 2), "even": slice(1, None, 2)}
)

#: Which streams: a half or all of the corpus, names of its files, or labelled streams of one's own.
Files = str | Iterable[str] | Mapping[str, LabelledStream]


def probation(n: int) -> int:
    """Values at the start of a stream of n that do not count: min(15 % of n, 750).

    Examples
    --------
    >>> probation(4032), probation(10320)
    (604, 750)
    """
    return min(15 * n // 100, 750)


def nab_corpus(files: Files = "all") -> Mapping[str, LabelledStream]:
    """Streams of the benchmark by name, in alphabetical order.

    Parameters
    ----------
    files : {"all", "odd", "even"}, names of files, or mapping
        All; those at odd places of the alphabetical list, the first, third, …; those at even
        places; those named; or labelled streams of your own by name, which are handed back.

    Returns
    -------
    mapping
        Name to :class:`LabelledStream`. The arrays cannot be written to.

    Raises
    ------
    ParameterError
        If the corpus has no such half or file; the nearest name is suggested.

    Examples
    --------
    >>> len(nab_corpus()), len(nab_corpus("odd")), sum(len(s.values) for s in nab_corpus().values())
    (58, 29, 365558)
    """
    if isinstance(files, Mapping):
        return files
    corpus = _corpus()
    if isinstance(files, str):
        names = list(corpus)[HALVES[validate.choice("files", files, HALVES)]]
    elif isinstance(files, Iterable):
        names = [validate.choice("file", name, corpus) for name in files]
    else:
        raise ParameterTypeError("files", files, "'all', 'odd', 'even', or names of files")
    return {name: corpus[name] for name in names}


@functools.cache
def _corpus() -> Mapping[str, LabelledStream]:
    import pandas as pd

    table = pd.read_csv(settings.data("nab/corpus.csv.xz"), dtype={"file": "category"})
    table["timestamp"] = pd.to_datetime(table.timestamp, format="%Y-%m-%d %H:%M:%S")
    marked = json.loads(settings.data("nab/windows.json").read_text(encoding="utf-8"))
    corpus = {}
    for name, rows in table.groupby("file", observed=True):
        time, values = rows.timestamp.to_numpy(), rows.value.to_numpy(dtype=np.float64, copy=True)
        time.flags.writeable = values.flags.writeable = False
        ends = [np.array(window, dtype="datetime64[ns]") for window in marked[name]]
        corpus[name] = LabelledStream(name, time, values, tuple(_window(time, e) for e in ends))
    return MappingProxyType(corpus)


def _window(time: npt.NDArray[np.datetime64], ends: npt.NDArray[np.datetime64]) -> range:
    """Places from the first value at a window's beginning to the last one at its end."""
    inside = np.flatnonzero((time >= ends[0]) & (time <= ends[1]))
    return range(int(inside[0]), int(inside[-1]) + 1)


def scoreboard() -> pd.DataFrame:
    """Scores that the benchmark publishes, by detector, for the three profiles.

    Examples
    --------
    >>> float(scoreboard().loc["Numenta HTM", "standard"])
    70.1
    """
    import pandas as pd

    # One detector is called "null", and is not missing.
    file = settings.data("nab/scoreboard.csv")
    return pd.read_csv(file, index_col="detector", keep_default_na=False)
