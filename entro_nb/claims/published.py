"""The claims as published, and the figures in them."""

from __future__ import annotations

import functools
import json
import re
from typing import TYPE_CHECKING, Any

from entro_nb import settings, validate

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["figures", "observed", "published"]

#: What was observed of the published packages, in the folder of data.
OBSERVED = "published_packages.json"


@functools.cache
def published() -> pd.DataFrame:
    """Claims as published: id, source, system, claim, published, unit, where.

    Examples
    --------
    >>> published().loc["E01", "published"]
    '312'
    """
    import pandas as pd

    return pd.read_csv(settings.data("claims.csv"), dtype=str, index_col="id").fillna("")


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


def observed(package: str) -> dict[str, Any]:
    """What was observed of a published package, imported and tested as its reader would.

    Examples
    --------
    >>> observed("entro-net")["version"]
    '1.0.0'
    """
    content: dict[str, dict[str, Any]] = json.loads(
        settings.data(OBSERVED).read_text(encoding="utf-8")
    )
    return content[package]
