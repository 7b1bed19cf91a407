"""Every symbol of the five documents on one page, with the code that stands for it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from entro_nb import resources
from entro_nb.errors import ParameterError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["code", "table"]


def table() -> pd.DataFrame:
    """Symbols with meaning, units, shape, code name and source, in the order of the notebooks.

    Examples
    --------
    >>> list(table().columns)
    ['symbol', 'meaning', 'units', 'shape', 'code', 'source']
    """
    import pandas as pd

    return pd.read_csv(resources.data("symbols.csv"), dtype=str)


def code(name: str) -> Any:
    """Object that a code name of the table stands for.

    Raises
    ------
    ParameterError
        If the package has no such name.

    Examples
    --------
    >>> code("entropy.shannon").__name__
    'shannon'
    """
    module, _, rest = name.partition(".")
    try:
        found: Any = importlib.import_module(f"entro_nb.{module}")
        for part in rest.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        raise ParameterError("code", name, "a public name of the package") from None
    return found
