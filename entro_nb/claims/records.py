"""Claims of the Entropy Engine (seed 003) on recorded streams that nobody here chose: A11 to A16.

The streams and what people marked in them are those of the Numenta Anomaly Benchmark.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr

from entro_nb import benchmark
from entro_nb.accountant import RUN_LENGTH, Stability
from entro_nb.benchmark import LabelledStream, nab_corpus
from entro_nb.claims.table import Finding, Reading, figures
from entro_nb.results import Interval, mean_interval
from entro_nb.validate import FloatArray

#: Windows of the entropy and their bins: as the Accountant comes, and of the benchmark's entry
#: that compares distributions.
WINDOWS = {128: 16, 52: 8}
#: What the Accountant measures.
QUANTITIES = {"H": "entropy", "H′": "velocity", "H″": "acceleration", "H‴": "jerk"}
#: Steps to look ahead, ours: a quarter of the derivative window, that window, and the whole one.
AHEAD = (8, 32, 128)
#: Detectors that know nothing to be compared with: to be above each comes once in 20 by chance.
BLIND = 19
SETTINGS = "Windows of 128 values with 16 bins and of 52 with 8, band from the probation: ours"

Stretches = Callable[[range], range]


def _windows(window: range) -> range:
    return window


def _half_before(window: range) -> range:
    return range(window.start, (window.start + window.stop) // 2)


def _as_long_before(window: range) -> range:
    return range(2 * window.start - window.stop, window.start)


def _steps_before(window: range, first: int, last: int) -> range:
    middle = (window.start + window.stop) // 2
    return range(middle - last, middle - first + 1)


@functools.cache
def _frames(window: int) -> dict[str, xr.Dataset]:
    return {n: benchmark.frames(s.values, window, WINDOWS[window]) for n, s in nab_corpus().items()}


def _distance(found: xr.Dataset, quantity: str) -> FloatArray:
    values = np.nan_to_num(found[QUANTITIES[quantity]].values)
    return benchmark.windowed_gaussian(values, window=values.size)


def _measured_standing(window: int, quantity: str, where: Stretches) -> dict[str, FloatArray]:
    """Of each kind of stream: how the windows of each of its streams stand out, on average."""
    found: dict[str, list[float]] = {}
    for name, stream in nab_corpus().items():
        score = _distance(_frames(window)[name], quantity)
        shares = benchmark.standing(score, stream, map(where, stream.windows))
        if np.isfinite(shares).any():
            found.setdefault(stream.category, []).append(float(np.nanmean(shares)))
    return {category: np.array(shares) for category, shares in found.items()}


def _over_streams(shares: Mapping[str, FloatArray]) -> Interval:
    return mean_interval(np.concatenate([*shares.values()]))


def _measured_scores(seed: int) -> tuple[dict[str, float], FloatArray]:
    """Scores of the Accountant's quantities on the benchmark, and of such as know nothing."""
    names = [name for name in benchmark.DETECTORS if name.startswith("Accountant")]
    scores = {name: benchmark.nab(benchmark.DETECTORS[name]).score.values[0] for name in names}
    rng = np.random.default_rng(seed)
    blind = [benchmark.nab(lambda x: rng.random(x.size)).score.values[0] for _ in range(BLIND)]
    return scores, np.array(blind)


def _a11_any_system(seed: int) -> Finding:
    readings = []
    for window in WINDOWS:
        shares = _measured_standing(window, "H", _windows)
        above = {kind: mean_interval(of).low > 0.5 for kind, of in shares.items()}
        readings.append(
            Reading(
                f"H of {window}: in {sum(above.values())} of {len(above)} kinds of stream",
                [*above.values()],
                f"H of {window} stands out where people marked something, in each kind of stream",
            )
        )
    scores, blind = _measured_scores(seed)
    beyond = [score > blind.max() for score in scores.values()]
    readings.append(
        Reading(
            f"{sum(beyond)} of {len(beyond)} score more than {blind.max():.1f} of 100, the most of "
            f"{blind.size} detectors that know nothing; the best {max(scores.values()):.1f}",
            beyond,
            "its quantities as alarms, with one limit for all streams",
        )
    )
    whole = _over_streams(_measured_standing(52, "H", _windows))
    return Finding(
        tuple(readings),
        f"Over all streams H of 52 peaks higher in a marked window than in {whole.value:.0%} of "
        "the other stretches as long, where chance gives 50%: an average over a window says little "
        "of the few values that people marked.",
        whole,
        "95 % t-interval over streams, of H of 52 over all kinds",
        instead="The surprisal of each value by the values before it, of which H is an average: "
        "see the benchmark.",
        chosen=f"{SETTINGS}; distance of H from its mean so far: ours. A kind is a folder of the "
        f"benchmark, and counts where the interval over its streams lies above 50%; {BLIND} "
        "detectors that know nothing: ours.",
    )


def _a12_predictive(seed: int) -> Finding:
    ways: Mapping[str, Stretches] = {
        "in the half of a window before its middle": _half_before,
        "in a stretch as long as the window before it": _as_long_before,
    }
    readings = []
    for window in WINDOWS:
        for name, where in ways.items():
            found = {
                q: _over_streams(_measured_standing(window, q, where)) for q in ("H", "H′", "H″")
            }
            text = ", ".join(f"{q} {share.value:.0%}" for q, share in found.items())
            above = [share.low > 0.5 for share in found.values()]
            readings.append(Reading(f"of {window} {name}: {text}", above, f"of {window}, {name}"))
    return Finding(
        tuple(readings),
        "What peaks before something happens peaks higher there than in most other stretches of "
        "the stream; the shares are of those that it exceeds, and chance gives 50%.",
        _over_streams(_measured_standing(128, "H″", _half_before)),
        "95 % t-interval over streams, of H″ of 128 in the half before",
        chosen=f"{SETTINGS}. The benchmark centres a window on what was marked: its middle is "
        "taken for that moment. A quantity predicts where the interval lies above 50%: ours.",
    )


def _measured_sign(window: int, first: int, last: int) -> tuple[FloatArray, FloatArray]:
    """Share of windows of each stream before whose middle H″ is positive, and of all stretches."""
    before, ever = [], []
    for name, stream in nab_corpus().items():
        rate = np.nan_to_num(_frames(window)[name].acceleration.values)
        length = last - first + 1
        mean = np.convolve(rate, np.full(length, 1.0 / length), "valid") > 0.0
        starts = [_steps_before(w, first, last).start for w in stream.windows]
        starts = [start for start in starts if start >= stream.probation]
        if starts:
            before.append(mean[starts].mean())
            ever.append(mean[stream.probation :].mean())
    return np.array(before), np.array(ever)


def _a13_acceleration(seed: int) -> Finding:
    first, last = map(int, figures("A13"))

    def where(window: range) -> range:
        return _steps_before(window, first, last)

    readings, leading = [], {}
    for window in WINDOWS:
        found = {q: _over_streams(_measured_standing(window, q, where)) for q in ("H", "H′", "H″")}
        leading[window] = found["H″"]
        text = ", ".join(f"{q} {share.value:.0%}" for q, share in found.items())
        most = max(found, key=lambda q: found[q].value)
        readings.append(
            Reading(
                f"of {window}, above so many other stretches: {text}",
                [found["H″"].low > 0.5, most == "H″"],
                f"its size of {window}, {first} to {last} steps before",
            )
        )
        before, ever = _measured_sign(window, first, last)
        more = mean_interval(before - ever)
        readings.append(
            Reading(
                f"of {window}, positive before {before.mean():.0%}, and {ever.mean():.0%} of the "
                "time in any case",
                more.low > 0.0,
                f"its sign of {window}, {first} to {last} steps before",
            )
        )
    return Finding(
        tuple(readings),
        "H″ is a difference of differences of a mean over a whole window: most of it is the "
        "newest and the oldest value, coming in and going out.",
        leading[128],
        "95 % t-interval over streams, of H″ of 128",
        instead="What announces nothing can still be noticed as soon as it comes: by the "
        "surprisal of its first values.",
        chosen=f"{SETTINGS}; {first} to {last} steps: document. The middle of a window is taken "
        "for the moment that was marked. The early warning: above 50% of the other stretches, "
        "and more than H and H′; positive more often than at other times: ours.",
    )


def _measured_heading(seed: int, ahead: int) -> dict[str, FloatArray]:
    """How often a rate has the sign of the change to come, shape (2, streams).

    Of each stream as it is, and of its values in an order drawn by chance.
    """
    rng = np.random.default_rng(seed)
    pairs = {"H′": ("velocity", "entropy"), "H″": ("acceleration", "velocity")}
    shares: dict[str, list[list[float]]] = {rate: [] for rate in pairs}
    for name, stream in nab_corpus().items():
        both = (_frames(128)[name], benchmark.frames(rng.permutation(stream.values)))
        for rate, (of, what) in pairs.items():
            row = []
            for found in both:
                sign = np.sign(found[of].values[128:-ahead])
                came = np.sign(found[what].values[128 + ahead :] - found[what].values[128:-ahead])
                moves = (sign != 0.0) & (came != 0.0)
                row.append(float((sign == came)[moves].mean()) if moves.any() else np.nan)
            if np.isfinite(row).all():
                shares[rate].append(row)
    return {rate: np.array(rows).T for rate, rows in shares.items()}


def _a14_heading(seed: int) -> Finding:
    readings, velocity = [], {}
    for ahead in AHEAD:
        found = _measured_heading(seed, ahead)
        share = {rate: mean_interval(rows[0]) for rate, rows in found.items()}
        more = {rate: mean_interval(rows[0] - rows[1]) for rate, rows in found.items()}
        velocity[ahead] = share["H′"]
        text = ", ".join(
            f"{rate} {share[rate].value:.0%} (shuffled {rows[1].mean():.0%})"
            for rate, rows in found.items()
        )
        readings.append(
            Reading(
                f"{ahead} steps ahead: {text}",
                [share[rate].low > 0.5 and more[rate].low > 0.0 for rate in found],
                f"the sign of a rate is that of the change to come in {ahead} steps",
            )
        )
    return Finding(
        tuple(readings),
        "Where a stream has memory, entropy goes on for a while as it went; a whole window later "
        "the values that moved it have left, and it comes back.",
        velocity[32],
        "95 % t-interval over streams, of H′ 32 steps ahead",
        chosen=f"Steps ahead {', '.join(map(str, AHEAD))}: ours, the document names none. Window "
        "128 with 16 bins, derivative window 32: ours. It tells where it does so more often than "
        "not, and than on the same values in an order drawn by chance: ours.",
    )


def _measured_comparable() -> FloatArray:
    """Mean and deviation of z outside windows, and share of frames not STABLE; (stream, 3)."""
    return np.array([_comparable(s, _frames(128)[n]) for n, s in nab_corpus().items()])


def _comparable(stream: LabelledStream, found: xr.Dataset) -> tuple[float, float, float]:
    usual = np.arange(stream.values.size) >= stream.probation
    for window in stream.windows:
        usual[window.start : window.stop] = False
    z, alarms = benchmark.z_scores(stream.values)[usual], found.stability.values[usual]
    return float(z.mean()), float(z.std()), float(np.mean(alarms > Stability.STABLE))


def _a15_comparable(seed: int) -> Finding:
    mean, deviation, alarms = _measured_comparable().T
    alike = (np.abs(mean) < 0.5) & (deviation > 0.5) & (deviation < 2.0)
    promised = 1.0 / RUN_LENGTH
    kept = alarms <= 10.0 * promised
    return Finding(
        (
            Reading(
                f"z in {alike.sum()} of {alike.size} streams centred within half a deviation, and "
                "with a deviation within a factor of two",
                alike,
                "the scalar has the same centre and spread",
            ),
            Reading(
                f"with the same limits {kept.sum()} of {kept.size} streams have at most ten times "
                f"the promised frames that are not STABLE; half of the streams have "
                f"{np.median(alarms):.0%} of theirs",
                kept,
                "the same limits mean the same on each stream",
            ),
        ),
        "Centre and spread are brought to the same scale, shape and memory are not; and entropy "
        "is about shape.",
        chosen="Half a deviation, a factor of two, ten times: ours; the default window, limits and "
        f"their promise of one frame in {RUN_LENGTH:.0f}: ours; band from the probation: ours. "
        "What people marked is left out.",
    )


def _measured_defined() -> list[tuple[bool, bool]]:
    """Of each stream: whether H is known at every value, and the rates from the fourth on."""
    known = []
    for found in _frames(128).values():
        h = found.entropy.values
        rates = [found[row].values for row in ("velocity", "acceleration", "jerk")]
        known.append(
            (bool(np.isfinite(h).all()), all(bool(np.isfinite(r[3:]).all()) for r in rates))
        )
    return known


def _a16_any_stream(seed: int) -> Finding:
    known = _measured_defined()
    return Finding(
        Reading(f"{sum(map(all, known))} of {len(known)} recorded streams", known),
        "Any finite scalar falls into one of the bins, so that H is always defined.",
        instead="That a number comes out says nothing of what it is worth: see A11.",
    )
