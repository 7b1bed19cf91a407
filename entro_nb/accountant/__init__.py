"""System 1 of the Entropy Engine (seed 003): a scalar in, an EeFrame out.

`Normalizer` makes unlike streams comparable, `Accountant` measures entropy and its rates and
says how stable they are, `DecisionGate` turns that into one of five paths, and `calibrate` sets
the thresholds from a promised mean run length between false alarms. The classical detectors
stand beside it at the same run length.
"""

from entro_nb.accountant.accountant import Accountant, account
from entro_nb.accountant.calibration import (
    RUN_LENGTH,
    calibrate,
    default_thresholds,
    run_lengths,
)
from entro_nb.accountant.detectors import (
    DETECTORS,
    detection_delays,
    limit_for,
    statistic,
    without_alarms,
)
from entro_nb.accountant.frame import (
    COLUMNS,
    AccountantConfig,
    Decision,
    DecisionGate,
    EeFrame,
    Path,
    Stability,
    Thresholds,
    flags,
)
from entro_nb.accountant.normalizer import Normalizer, NormalizerConfig, normalize

__all__ = [
    "COLUMNS",
    "DETECTORS",
    "RUN_LENGTH",
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
    "default_thresholds",
    "detection_delays",
    "flags",
    "limit_for",
    "normalize",
    "run_lengths",
    "statistic",
    "without_alarms",
]
