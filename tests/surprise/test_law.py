"""The predictive law against plain counting, its p-values against every order of a few values."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from entro_nb.errors import DataError, ParameterError, ParameterTypeError
from entro_nb.surprise import CELLS, ROWS, Judgement, Surprise, SurpriseConfig

VALUES = st.one_of(
    st.integers(-3, 3).map(float),
    st.floats(-1e3, 1e3),
    st.sampled_from([0.0, -0.0, 1e-300, -1e-300, 1e15, 1e15 + 1.0, -1e15, 5e-324, 1e300]),
)
STREAMS = st.lists(VALUES, min_size=1, max_size=60)


def cell(x: float, width: float) -> int:
    return math.floor(Fraction(x) / Fraction(width))


def width_of(seen: list[float]) -> float:
    """Smallest power of two with which the values span at most CELLS cells, by trying all."""
    low, high = min(seen), max(seen)
    finest = max(max(abs(low), abs(high)) * 2.0**-48, 2.0**-1000)
    for exponent in range(math.floor(math.log2(finest)), 1024):
        width = 2.0**exponent
        if width >= finest and cell(high, width) - cell(low, width) < CELLS:
            return width
    raise AssertionError


def judged(seen: list[float], x: float) -> tuple[float, float, int, int]:
    """Surprisal and strangeness of the next value, and its rank among all, by plain counting."""
    both = [*seen, x]
    if min(both) == max(both):
        known = math.log2((len(seen) + 1) / (len(seen) + 0.5)) if seen else 0.0
        return known, 0.0, 0, len(both)
    width = width_of(both)
    before = Counter(cell(v, width) for v in seen)
    after = Counter(cell(v, width) for v in both)

    def weight(counts: Counter[int], k: int) -> int:
        return 2 * counts[k] + counts[k - 1] + counts[k + 1]

    k = cell(x, width)
    own = weight(before, k)
    likely = sum(n for c, n in before.items() if weight(before, c) <= own)
    gap = min(abs(c - k) for c in before) - 1 if own == 0 else 0
    share = (own / 4 + 0.5 / CELLS) / (len(seen) + 0.5)
    strange = math.log2((len(seen) + 1) / (likely + 1)) + math.log2(1 + gap)

    def key(c: int) -> tuple[int, int]:
        # More surprising first; of values alone, the one further from the next.
        if weight(after, c) > 2:
            return weight(after, c), 0
        return 2, -min(abs(other - c) for other in after if other != c)

    mine = key(k)
    below = sum(n for c, n in after.items() if key(c) < mine)
    ties = sum(n for c, n in after.items() if key(c) == mine)
    return -math.log2(min(share, 1.0)), strange, below, ties


@settings(max_examples=150, deadline=None)
@given(STREAMS)
def test_the_law_is_what_counting_says(stream: list[float]) -> None:
    rows = dict(zip(ROWS, Surprise(SurpriseConfig(warm_up=2)).judge(stream), strict=True))
    for t, x in enumerate(stream):
        surprisal, _, below, ties = judged(stream[:t], x)
        assert rows["surprisal"][t] == pytest.approx(surprisal, abs=1e-12)
        assert below / (t + 1) < rows["p_value"][t] < (below + ties) / (t + 1)


@settings(max_examples=100, deadline=None)
@given(STREAMS)
def test_a_score_is_the_strangeness_less_what_earlier_peaks_explain(stream: list[float]) -> None:
    # Without margin, and with peaks forgotten at once, every value has its strangeness.
    config = SurpriseConfig(warm_up=2, margin=0.0, relief=1e9, promise=1e9)
    score = dict(zip(ROWS, Surprise(config).judge(stream), strict=True))["score"]
    peaks: list[int] = []
    last = -(10**9)
    for t, x in enumerate(stream):
        strange = judged(stream[:t], x)[1] if t >= 2 else 0.0
        peak = min(int(strange * 6.0), 255)
        earlier = sum(p >= peak for p in peaks)
        assert score[t] == pytest.approx(max(strange - math.log2(1 + earlier), 0.0), abs=1e-9)
        if strange > 5.0:
            if t - last < config.apart:
                peaks.pop()
            peaks.append(peak)
            last = t


@settings(max_examples=100, deadline=None)
@given(STREAMS, st.data())
def test_streaming_is_batch_at_every_prefix(stream: list[float], data: st.DataObject) -> None:
    config = SurpriseConfig(
        promise=16.0,
        warm_up=2,
        changes=data.draw(st.booleans()),
        order=data.draw(st.integers(0, 3)),
    )
    whole = Surprise(config).judge(stream)
    one_by_one = Surprise(config)
    for t, x in enumerate(stream):
        judgement = one_by_one.process(x)
        assert judgement == Judgement(*whole[:4, t], bool(whole[4, t]))
    cut = data.draw(st.integers(0, len(stream)))
    pieces = Surprise(config)
    parts = [pieces.judge(part) for part in (stream[:cut], stream[cut:]) if part]
    assert np.concatenate(parts, axis=1).tobytes() == whole.tobytes()
    assert pieces.seen == len(stream)


@pytest.mark.parametrize(
    "bag", [[0.0, 1.0, 2.0, 9.0, 9.0], [1.0, 1.0, 1.0, 1.0, 5.0], [0.0, 0.1, 0.2, 30.0, -70.0]]
)
def test_whatever_the_order_the_ranks_are_uniform(bag: list[float]) -> None:
    # Exchangeable: every order of the values has the same chance. Then the p-value of the last is
    # uniform: its values in all orders fill (0, 1) evenly, a rank and its coin at a time.
    chances: Counter[tuple[int, int]] = Counter()
    for order in itertools.permutations(bag):
        rows = dict(zip(ROWS, Surprise(SurpriseConfig(warm_up=2)).judge(order), strict=True))
        _, _, below, ties = judged(list(order[:-1]), order[-1])
        assert below / 5 < rows["p_value"][-1] < (below + ties) / 5
        chances[below, ties] += 1
    orders = math.factorial(len(bag))
    covered = sorted(chances)
    assert covered[0][0] == 0
    for (below, ties), (following, _) in itertools.pairwise([*covered, (5, 0)]):
        assert below + ties == following
        assert chances[below, ties] * 5 == orders * ties


@pytest.mark.parametrize("law", ["normal", "exponential", "cauchy", "rounded", "binary"])
def test_p_values_are_uniform_and_tell_nothing_of_the_next(law: str) -> None:
    rng = np.random.default_rng(3)
    n = 20_000
    x = {
        "normal": rng.standard_normal(n),
        "exponential": rng.exponential(size=n),
        "cauchy": rng.standard_cauchy(n),
        "rounded": np.round(rng.standard_normal(n), 1),
        "binary": rng.integers(0, 2, n).astype(float),
    }[law]
    p = Surprise().judge(x)[ROWS.index("p_value")]
    from scipy.stats import kstest

    assert kstest(p, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(p[1:], p[:-1])[0, 1]) < 4.0 / math.sqrt(n)
    for share in (0.1, 0.01, 0.001):
        assert np.mean(p < share) == pytest.approx(share, abs=4.0 * math.sqrt(share / n))


@pytest.mark.parametrize("scale", [2.0**-40, 2.0**20, -1.0])
def test_units_make_no_difference(scale: float) -> None:
    x = np.random.default_rng(4).standard_normal(2_000) ** 3
    rows, scaled = Surprise().judge(x), Surprise().judge(scale * x)
    if scale > 0:
        assert rows.tobytes() == scaled.tobytes()
    else:
        # Mirrored, values on the edge of a cell fall to its other side: there are none here.
        np.testing.assert_allclose(rows, scaled)


def test_a_new_level_is_accepted_in_proportion_to_the_age_of_the_stream() -> None:
    rng = np.random.default_rng(5)
    old, new = 4_000, 400
    x = np.concatenate([rng.integers(0, 8, old), rng.integers(100, 101, new)]).astype(float)
    config = SurpriseConfig(margin=0.0, relief=1e9, promise=1e9)
    score = Surprise(config).judge(x)[ROWS.index("score")]
    n = np.arange(1, new)
    assert np.all(score[old + 1 :] <= np.log2((old + n + 1) / (n + 1)) + 1e-12)
    assert score[old] > math.log2(old)


def test_an_alarm_is_raised_once() -> None:
    rng = np.random.default_rng(6)
    x = np.concatenate([rng.standard_normal(3_000), 12.0 + rng.standard_normal(3_000)])
    alarm = Surprise().judge(x)[ROWS.index("alarm")]
    assert 3_000 <= np.flatnonzero(alarm)[0] < 3_020
    assert alarm.sum() <= 2


@pytest.mark.parametrize(
    ("x", "error"),
    [
        (math.nan, ParameterError),
        (math.inf, ParameterError),
        ("1", ParameterTypeError),
        (True, ParameterTypeError),
    ],
)
def test_bad_values_are_refused_and_leave_nothing_behind(x: object, error: type) -> None:
    monitor, other = Surprise(), Surprise()
    monitor.judge([1.0, 2.0])
    other.judge([1.0, 2.0])
    with pytest.raises(error):
        monitor.process(x)  # type: ignore[arg-type]
    if x is not True:
        with pytest.raises((DataError, ParameterError, ParameterTypeError)):
            monitor.judge([1.0, x])  # type: ignore[list-item]
    assert monitor.process(5.0) == other.process(5.0)


def test_memory_does_not_grow() -> None:
    monitor = Surprise(SurpriseConfig(changes=True, order=2))
    rng = np.random.default_rng(7)
    sizes = []
    for _ in range(3):
        monitor.judge(rng.standard_cauchy(20_000))
        sizes.append(sum(part.nbytes for part in monitor._state))
    assert sizes[0] == sizes[-1] < 20_000


@pytest.mark.parametrize(
    ("name", "value"),
    [("promise", 1.0), ("warm_up", 1), ("relief", 0.0), ("margin", -1.0), ("order", -1)],
)
def test_parameters_are_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(ParameterError, match=name):
        SurpriseConfig(**{name: value})
    with pytest.raises(ParameterTypeError, match="config"):
        Surprise({"promise": 10.0})  # type: ignore[arg-type]
