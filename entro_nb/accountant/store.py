"""Make the stored thresholds again: ``python -m entro_nb.accountant.store``."""

from __future__ import annotations

import itertools
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from entro_nb.accountant.calibration import RUN_LENGTH, calibrate, key_of
from entro_nb.accountant.config import AccountantConfig

__all__ = ["WINDOWS", "content", "main"]

#: The settings that the apps offer.
WINDOWS = (32, 64, 128, 256, 512)
BINS = (8, 16, 32)
SPANS = (8, 32)
PRECISION, SEED = 0.02, 0


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


def main() -> None:
    """Write thresholds.json beside this module."""
    configs = [
        AccountantConfig(window=window, bins=bins, derivative_window=span)
        for window, bins, span in itertools.product(WINDOWS, BINS, SPANS)
    ]
    text = json.dumps(content(configs), indent=1) + "\n"
    Path(__file__).with_name("thresholds.json").write_text(text, encoding="utf-8")
    sys.stdout.write(f"{len(configs)} settings stored\n")


if __name__ == "__main__":
    main()
