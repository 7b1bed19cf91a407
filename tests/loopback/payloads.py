"""The recorded payloads beside the repository, with the scalars that each must give."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import pytest

from entro_nb import streams

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "payloads"

needed = pytest.mark.skipif(
    not (FOLDER / "PROVENANCE.csv").is_file(),
    reason="the recorded payloads (../shared/payloads) are not beside this checkout",
)


class Recorded(NamedTuple):
    file: str
    stream: str
    expected: list[float | None]

    @property
    def payload(self) -> bytes:
        return (FOLDER / self.file).read_bytes()


def recorded() -> list[Recorded]:
    """Every recorded payload; the streams are numbered as in the catalog."""
    if not (FOLDER / "PROVENANCE.csv").is_file():
        return []
    names = list(streams.CATALOG)[:12]
    with (FOLDER / "PROVENANCE.csv").open(encoding="utf-8", newline="") as lines:
        return [
            Recorded(
                row["file"],
                names[int(row["stream"].split()[0]) - 1],
                [float(v) if v else None for v in row["expected_scalar"].split(";")],
            )
            for row in csv.DictReader(lines)
        ]
