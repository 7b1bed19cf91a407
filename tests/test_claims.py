from __future__ import annotations

import re

import nbformat
import numpy as np
import pytest
from hypothesis import given, strategies as st

from entro_nb import claims, settings, views
from entro_nb.claims import Finding, Reading, Verdict, evaluators, judged
from entro_nb.errors import ParameterError
from entro_nb.results import mean_interval
from entro_nb.views.overview import ClaimsApp, evidence, verdict_bars

views.setup()

#: Quick ones, of every system and every kind.
SOME = ["E12", "E14", "E17", "N06", "N24", "N25", "A04", "A05", "G05", "G07"]


@pytest.fixture(scope="module")
def found() -> object:
    return claims.evaluate(SOME)


def test_every_claim_has_code_and_nothing_else_does() -> None:
    assert set(evaluators()) == set(claims.published().index)


def test_the_evidence_of_every_claim_stands_under_a_heading_that_exists() -> None:
    headings = {
        path.stem: {
            line.lstrip("# ")
            for cell in nbformat.read(path, as_version=4).cells
            if cell.cell_type == "markdown"
            for line in cell.source.splitlines()
            if line.startswith("#")
        }
        for path in settings.notebooks().glob("*.ipynb")
    }
    for name, row in claims.published().iterrows():
        assert row.section in headings[row.notebook], name


def test_findings_are_complete(found) -> None:
    assert found.claim.values.tolist() == SOME
    for name in ("obtained", "why", "source", "kind", "evidence", "verdict", "published"):
        assert all(found[name].values), name
    finite = np.isfinite(found.low)
    assert (found.low[finite] <= found.high[finite]).all()


def test_verdicts_that_follow_from_arithmetic(found) -> None:
    verdict = dict(zip(found.claim.values.tolist(), found.verdict.values.tolist(), strict=True))
    assert verdict["E14"] == verdict["N06"] == verdict["E12"] == "reproduced"
    assert verdict["E17"] == "refuted"  # |u| ≤ αρ
    assert verdict["A04"] == "partly reproduced"  # a rival decomposes over equal groups
    assert verdict["A05"] == "reproduced"  # under decomposition, as the document explains it


def test_the_same_seed_gives_the_same_findings(found) -> None:
    assert claims.evaluate(SOME).identical(found)


def test_one_claim_and_unknown_claims() -> None:
    assert claims.evaluate("G05").sizes["claim"] == 1
    with pytest.raises(ParameterError, match="E99"):
        claims.evaluate(["E99"])
    with pytest.raises(ParameterError, match="seed = -1"):
        claims.evaluate(["G05"], seed=-1)


readings = st.builds(
    lambda held, literal, proved: Reading("x", held, "y", literal, proved and not any(held)),
    st.lists(st.booleans(), min_size=1, max_size=3),
    st.booleans(),
    st.booleans(),
)


@given(st.lists(readings, min_size=1, max_size=4))
def test_the_verdict_follows_from_the_readings(tried: list[Reading]) -> None:
    literal = [reading for reading in tried if reading.literal]
    if not literal:
        with pytest.raises(ParameterError, match="literal"):
            judged(tried)
        return
    verdict = judged(tried)
    parts = [part for reading in literal for part in reading.held]
    whole = any(all(reading.held) for reading in tried)
    if verdict is Verdict.REPRODUCED:
        assert all(parts)
    elif verdict is Verdict.PARTLY:
        assert any(parts) or whole
        assert not all(parts)
    else:  # refuted only where every reading is proved impossible
        assert not any(parts)
        assert not whole
        assert (verdict is Verdict.REFUTED) == all(reading.proved for reading in tried)


def test_what_cannot_be_said_of_a_reading() -> None:
    with pytest.raises(ParameterError, match="no part, of what is proved impossible"):
        Reading("x", [False, True], proved=True)
    with pytest.raises(ParameterError, match="at least one part"):
        Reading("x", [])
    with pytest.raises(ParameterError, match="interval_of"):
        Finding(Reading("x", True), "because", mean_interval(np.arange(3.0)))


def test_interval_covers_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    inside = [
        low <= 3 <= high
        for _, low, high in (mean_interval(rng.normal(3, 2, 8)) for _ in range(2000))
    ]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.02)


def test_figures_are_read_from_the_table() -> None:
    assert claims.figures("N01") == [0.16538, 0.002169]
    assert claims.figures("E17") == [-0.225]
    assert claims.figures("E13") == [24, 19, 37]


def test_summary_counts_every_claim_once(found) -> None:
    lines = claims.summary(found).splitlines()
    (total,) = (line for line in lines if line.startswith("| **all**"))
    kinds = (line for line in lines if line.startswith("| *of these"))
    assert sum(map(int, re.findall(r"\d+", total))) == len(SOME)
    assert sum(int(n) for line in kinds for n in re.findall(r"\d+", line)) == len(SOME)


def test_views_show_every_claim_and_no_markup_of_its_own(found) -> None:
    page = evidence(found.assign(obtained=("claim", ["<script>x</script>"] * len(SOME))))
    assert "<script>" not in page
    assert all(f"<b>{name}</b>" in page for name in SOME)
    boxes = verdict_bars(found).Rectangles.I.data
    assert (boxes["right"] - boxes["claims"]).sum() == len(SOME)
    app = ClaimsApp(found)
    app.verdict = "refuted"
    assert set(app.result.verdict.values) == {"refuted"}
    assert app.panel() is not None


def test_a_finding_needs_no_interval() -> None:
    finding = Finding(Reading("runs", True), "because")
    assert np.isnan(finding.interval.low)
    assert (finding.verdict, finding.obtained) == (Verdict.REPRODUCED, "runs")
    nothing = Finding((), "it needs a machine that nobody has", obtained="not tried")
    assert nothing.verdict is Verdict.NOT_TESTABLE
