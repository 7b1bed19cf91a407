"""Speed of the Accountant against named alternatives: ``pytest tests/benchmarks -n 0 -s``."""

from __future__ import annotations

import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import scipy.stats

from entro_nb import Accountant, AccountantConfig, Surprise, account

X = np.random.default_rng(0).standard_normal(4_000_000)
CONFIG = AccountantConfig()


def best(run: Callable[[], object], repeats: int = 7) -> float:
    """Shortest of several runs, in seconds: noise of a shared machine only ever adds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def per_window(x: np.ndarray) -> np.ndarray:
    """The usual way: a histogram and its entropy for every window."""
    windows = np.lib.stride_tricks.sliding_window_view(x, CONFIG.window)
    return np.array(
        [
            scipy.stats.entropy(np.histogram(w, CONFIG.bins, (CONFIG.low, CONFIG.high))[0], base=2)
            for w in windows
        ]
    )


def test_account_against_a_histogram_per_window() -> None:
    x = np.clip(X, -4, 4)
    few = x[:2000]
    ours, theirs = account(few, CONFIG).entropy.values[CONFIG.window - 1 :], per_window(few)
    np.testing.assert_allclose(ours, theirs, atol=1e-12)
    fast = best(lambda: account(x, CONFIG)) / x.size
    slow = best(lambda: per_window(few), 2) / len(theirs)
    print(f"\naccount: {1e-6 / fast:.0f} M samples/s; {slow / fast:.0f} x a histogram per window")
    assert slow / fast >= 1000
    assert 1 / fast >= 50e6


def test_process_with_its_frame() -> None:
    accountant = Accountant(CONFIG)
    values = X[:20_000].tolist()
    times = []
    for value in values:
        start = time.perf_counter()
        accountant.process(value)
        times.append(time.perf_counter() - start)
    median, worst = np.median(times) * 1e6, np.percentile(times, 99.9) * 1e6
    print(f"\nprocess: median {median:.1f} us, 99.9 % below {worst:.1f} us")
    assert median <= 5.0


def test_process_with_its_surprise() -> None:
    """One value through surprisal, p-value, alarm and frame."""
    accountant, monitor = Accountant(CONFIG), Surprise()
    times = []
    for value in X[:20_000].tolist():
        start = time.perf_counter()
        accountant.process(value, "numbers", 0.0, value, monitor.process(value))
        times.append(time.perf_counter() - start)
    median, worst = np.median(times) * 1e6, np.percentile(times, 99.9) * 1e6
    print(f"\nsurprise and process: median {median:.1f} us, 99.9 % below {worst:.1f} us")
    assert median <= 8.0


def test_memory_beyond_input_and_output_does_not_grow() -> None:
    account(X[:1000], CONFIG)
    peaks = []
    for size in (500_000, 2_000_000):
        tracemalloc.start()
        ds = account(X[:size], CONFIG)
        peaks.append(tracemalloc.get_traced_memory()[1] - ds.nbytes)
        tracemalloc.stop()
    print(f"\nbeyond input and output: {peaks[0] / 1e3:.0f} and {peaks[1] / 1e3:.0f} kB")
    assert peaks[1] < peaks[0] + 500_000


def test_importing_the_package_against_importing_numpy() -> None:
    def cost(module: str) -> float:
        return best(lambda: subprocess.run([sys.executable, "-c", f"import {module}"], check=True))

    ratio = cost("entro_nb") / cost("numpy")
    print(f"\nimport entro_nb: {ratio:.2f} x import numpy")
    assert ratio <= 1.3
