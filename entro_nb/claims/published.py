"""The claims as published, and the figures in them."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from entro_nb import resources, validate

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["figures", "published"]


@functools.cache
def published() -> pd.DataFrame:
    """Claims as published: id, source, system, claim, published, unit, where.

    Examples
    --------
    >>> published().loc["E01", "published"]
    '312'
    """
    import pandas as pd

    return pd.read_csv(resources.data("claims.csv"), dtype=str, index_col="id").fillna("")


def figures(claim: str) -> list[float]:
    """Numbers in a published figure, in order.

    Parameters
    ----------
    claim : str
        Id of the claim.

    Examples
    --------
    >>> figures("N07")
    [-2.1, -26.7, -53.1]
    """
    table = published()
    text = table.loc[validate.choice("claim", claim, table.index), "published"]
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", text.replace("−", "-"))]
