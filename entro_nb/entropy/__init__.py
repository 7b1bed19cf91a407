"""Shannon entropy: of a distribution, estimated from counts, over a rolling window, and its rates.

Everything works on arrays along an axis, in bits. The definitions are those of seed 003, §3;
the estimators, and the alternatives that Khinchin's axioms exclude, come from the literature.
"""

from entro_nb.entropy.derivatives import Derivatives, derivatives
from entro_nb.entropy.distribution import chain_rule_gap, gini, normalized, renyi, shannon
from entro_nb.entropy.estimators import (
    expected_bias,
    expected_plugin,
    miller_madow,
    plugin,
)
from entro_nb.entropy.rolling import bin_counts, rolling

__all__ = [
    "Derivatives",
    "bin_counts",
    "chain_rule_gap",
    "derivatives",
    "expected_bias",
    "expected_plugin",
    "gini",
    "miller_madow",
    "normalized",
    "plugin",
    "renyi",
    "rolling",
    "shannon",
]
