"""Make the stored thresholds again: ``python .ci/tools/thresholds.py``."""

from __future__ import annotations

import itertools
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from entro_nb.accountant import RUN_LENGTH, AccountantConfig, calibrate
from entro_nb.accountant.calibration import key_of

#: The settings that the apps offer: windows, bins, derivative windows.
SETTINGS = ((32, 64, 128, 256, 512), (8, 16, 32), (8, 32))
PRECISION, SEED = 0.02, 0
TARGET = Path(__file__).parents[2] / "entro_nb" / "accountant" / "thresholds.json"


def content(configs: list[AccountantConfig]) -> dict[str, Any]:
    """Stored form of the thresholds of some configurations."""
    return {
        "how": {
            "input": "independent standard normal values",
            "run_length": RUN_LENGTH,
            "precision": PRECISION,
            "seed": SEED,
        },
        "thresholds": {
            key_of(config): asdict(calibrate(config, precision=PRECISION, seed=SEED))
            for config in configs
        },
    }


if __name__ == "__main__":
    made = [
        AccountantConfig(window=window, bins=bins, derivative_window=span)
        for window, bins, span in itertools.product(*SETTINGS)
    ]
    TARGET.write_text(json.dumps(content(made), indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(made)} settings stored\n")
