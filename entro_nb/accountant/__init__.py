"""System 1 of the Entropy Engine (seed 003): a scalar in, an EeFrame out.

`Normalizer` makes unlike streams comparable, `Accountant` measures entropy and its rates and
says how stable they are, `DecisionGate` turns that into one of five paths, and `calibrate` sets
the thresholds from a promised mean run length between false alarms. The classical detectors
stand beside it at the same run length.
"""

from entro_nb.accountant.accountant import (
    Accountant as Accountant,
    Normalizer as Normalizer,
    NormalizerConfig as NormalizerConfig,
    account as account,
    normalize as normalize,
    standardize as standardize,
)
from entro_nb.accountant.calibration import (
    RUN_LENGTH as RUN_LENGTH,
    calibrate as calibrate,
    default_thresholds as default_thresholds,
    run_lengths as run_lengths,
)
from entro_nb.accountant.detectors import (
    DETECTORS as DETECTORS,
    LEARNING as LEARNING,
    detection_delays as detection_delays,
    limit_for as limit_for,
    statistic as statistic,
    without_alarms as without_alarms,
)
from entro_nb.accountant.frame import (
    COLUMNS as COLUMNS,
    JUDGED as JUDGED,
    AccountantConfig as AccountantConfig,
    Decision as Decision,
    DecisionGate as DecisionGate,
    EeFrame as EeFrame,
    Path as Path,
    Stability as Stability,
    Thresholds as Thresholds,
    flags as flags,
    one_in as one_in,
    rarity as rarity,
)
from entro_nb.accountant.measure import (
    State as State,
    bins_for as bins_for,
    cold_state as cold_state,
    measure_arrays as measure_arrays,
    rule_of as rule_of,
)
