"""System 1 of the Entropy Engine (seed 003): a scalar in, an EeFrame out.

`Normalizer` makes unlike streams comparable, `Accountant` measures entropy and its rates and
says how stable they are, `DecisionGate` turns that into one of five paths, and `calibrate` sets
the thresholds from a promised mean run length between false alarms.
"""

from entro_nb.accountant.accountant import Accountant, account
from entro_nb.accountant.calibration import calibrate, run_lengths
from entro_nb.accountant.config import AccountantConfig, Thresholds
from entro_nb.accountant.frame import EeFrame, Stability
from entro_nb.accountant.gate import Decision, DecisionGate, Path
from entro_nb.accountant.normalizer import Normalizer, NormalizerConfig, normalize

__all__ = [
    "Accountant",
    "AccountantConfig",
    "Decision",
    "DecisionGate",
    "EeFrame",
    "Normalizer",
    "NormalizerConfig",
    "Path",
    "Stability",
    "Thresholds",
    "account",
    "calibrate",
    "normalize",
    "run_lengths",
]
