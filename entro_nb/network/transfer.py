"""Weights handed to a new node: fingerprints, a registry, a blend, and what it saves (seed 001)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import DataError, ParameterError
from entro_nb.network.learner import START_WEIGHTS
from entro_nb.network.learning import Task, episode
from entro_nb.results import dataset, parameters_of
from entro_nb.validate import FloatArray

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "PERIODS",
    "Match",
    "Registry",
    "adaptation_time",
    "fingerprint",
    "probe_and_transfer",
    "transfer_study",
]

#: Steps after which a regime of the family repeats itself (once it is stationary).
PERIODS = {"scraper": 200, "llm": 314}

#: First step from which each of them is stationary.
STATIONARY = {"scraper": 0, "llm": 1000}

#: Steps a new node is watched before it takes over weights, as in the family.
PROBE = 50


def fingerprint(psi: npt.ArrayLike) -> FloatArray:
    """Fingerprint (μ_Ψ, σ_Ψ, μ_Ψ′, σ_Ψ′) of a node's states, Ψ′ per step.

    Parameters
    ----------
    psi : array_like
        Ψ over time, at least three values.

    Returns
    -------
    ndarray
        Shape (4,), in psi and psi per step.

    Examples
    --------
    >>> fingerprint([0.0, 1.0, 0.0, 1.0]).round(3)
    array([0.5  , 0.5  , 0.333, 0.943])
    """
    x = validate.finite_array("psi", psi, ndim=1)
    if x.size < 3:
        raise DataError("psi", x.tolist(), "at least three values")
    change = np.diff(x)
    return np.array([x.mean(), x.std(), change.mean(), change.std()])


class Match(NamedTuple):
    """Nearest entry of a registry."""

    name: str
    similarity: float  #: cosine of the two fingerprints
    weights: FloatArray


@dataclass
class Registry:
    """Fingerprints and the weights that were learnt under them.

    Parameters
    ----------
    default : tuple of float
        Weights of a node that finds nothing like itself.

    Examples
    --------
    >>> r = Registry()
    >>> r.add("calm", [0.3, 0.1, 0.0, 0.0], [0.8, 0.1, 0.1])
    >>> r.blend([0.3, 0.1, 0.0, 0.0])
    array([0.8, 0.1, 0.1])
    """

    default: tuple[float, float, float] = START_WEIGHTS

    def __post_init__(self) -> None:
        validate.probabilities("default", self.default)
        self._entries: dict[str, tuple[FloatArray, FloatArray]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, name: str, mark: npt.ArrayLike, weights: npt.ArrayLike) -> None:
        """Enter weights under a name and a fingerprint; the same name replaces."""
        self._entries[name] = (_checked_mark(mark), _checked_weights(weights))

    def nearest(self, mark: npt.ArrayLike) -> Match:
        """Entry whose fingerprint has the largest cosine with this one.

        Raises
        ------
        ParameterError
            If the registry is empty.
        """
        if not self._entries:
            raise ParameterError("registry", "empty", "at least one entry")
        x = _checked_mark(mark)
        best = max(self._entries, key=lambda name: _cosine(x, self._entries[name][0]))
        entry, weights = self._entries[best]
        return Match(best, _cosine(x, entry), weights.copy())

    def blend(self, mark: npt.ArrayLike) -> FloatArray:
        """Weights λ·w_registry + (1 − λ)·w_default with λ = clip₀¹(similarity)."""
        match = self.nearest(mark)
        share = min(1.0, max(0.0, match.similarity))
        return share * match.weights + (1.0 - share) * np.array(self.default)


def adaptation_time(loss: npt.ArrayLike, steady: npt.ArrayLike, tolerance: float = 0.1) -> int:
    """Steps until the loss stays within 10 % of its steady value.

    A disturbance that varies makes the steady loss vary with it: `steady` is the loss, step by
    step, of a node that has adapted already and lives through the same noise. The adaptation
    time is the first step from which the two never differ by more than the tolerance times the
    mean of `steady`.

    Parameters
    ----------
    loss, steady : array_like
        Loss at each step, of the new node and of the adapted one.
    tolerance : float
        Share of the mean steady loss.

    Returns
    -------
    int
        In steps; the length of the record if they never come together.

    Examples
    --------
    >>> adaptation_time([4.0, 2.0, 1.05, 1.0], [1.0, 1.0, 1.0, 1.0])
    2
    """
    x = validate.finite_array("loss", loss, ndim=1)
    y = validate.finite_array("steady", steady, ndim=1)
    validate.same_length(loss=x, steady=y)
    share = validate.real("tolerance", tolerance, 0.0, open_low=True)
    outside = np.flatnonzero(np.abs(x - y) > share * abs(float(y.mean())))
    return int(outside[-1]) + 1 if outside.size else 0


def probe_and_transfer(
    registry: Registry, task: Task, policy: str, seed: int
) -> tuple[FloatArray, FloatArray]:
    """Loss of a new node that probes for 50 steps, takes over weights and goes on learning.

    Returns
    -------
    loss : ndarray
        At each step, the probe included.
    weights : ndarray
        What it took over.
    """
    probe = episode(replace(task, steps=PROBE), "fixed", seed, registry.default)
    weights = registry.blend(fingerprint(probe.psi.values[:, 0]))
    # The probe is lived through again, so that noise and disturbance are those of the run.
    rest = episode(task, policy, seed, weights)
    return np.concatenate([probe.loss.values, rest.loss.values[PROBE:]]), weights


def transfer_study(
    regime: str = "scraper",
    policy: str = "reversed",
    *,
    eta: float = 0.01,
    replicates: int = 40,
    periods: int = 8,
    seed: int = 0,
) -> xr.Dataset:
    """Adaptation time of new nodes that start from scratch, and of the same with transfer.

    Teachers, one for each regime, learn on seeds of their own and fill the registry; then every
    new node lives through the same noise three times: from scratch, with transfer, and as the
    adapted node that both are compared with, which starts from the weights it ended with.

    Parameters
    ----------
    regime : {"scraper", "llm"}
        Disturbance of the new nodes.
    policy : str
        How they learn, see :func:`episode`.
    eta : float
        Learning rate.
    replicates : int
        New nodes.
    periods : int
        Length of their life, in periods of the disturbance.
    seed : int
        First seed.

    Returns
    -------
    xarray.Dataset
        Over ``start, replicate`` with the starts "scratch", "transfer" and "adapted":
        `adaptation_time` (steps, of the first two) and `loss_early` (mean loss over the first
        period, psi²); `loss` over ``start, replicate, time``; `taken_over` over ``replicate,
        weight``.

    Examples
    --------
    >>> s = transfer_study(replicates=2, periods=2)
    >>> s.adaptation_time.dims
    ('start', 'replicate')
    """
    regime = validate.choice("regime", regime, PERIODS)
    count = validate.integer("replicates", replicates, 1)
    period = PERIODS[regime]
    length = validate.integer("periods", periods, 2) * period
    task = Task(n_nodes=1, steps=length, regime=regime, start=STATIONARY[regime], eta=eta)
    registry = Registry()
    for k, name in enumerate(PERIODS):
        first = seed + count + k
        lesson = replace(task, regime=name, start=STATIONARY[name], steps=12 * PERIODS[name])
        watched = episode(replace(lesson, steps=PROBE), "fixed", first)
        learnt = episode(lesson, policy, first).final_weights.values[0]
        registry.add(name, fingerprint(watched.psi.values[:, 0]), learnt)
    times = np.zeros((2, count), np.int64)
    losses = np.zeros((3, count, length))
    taken = np.zeros((count, 3))
    for k in range(count):
        scratch = episode(task, policy, seed + k)
        adapted = episode(task, policy, seed + k, scratch.final_weights.values)
        losses[0, k], losses[2, k] = scratch.loss.values, adapted.loss.values
        losses[1, k], taken[k] = probe_and_transfer(registry, task, policy, seed + k)
        for j in range(2):
            times[j, k] = adaptation_time(losses[j, k], losses[2, k])
    return dataset(
        {
            "adaptation_time": (
                ("start", "replicate"),
                np.concatenate([times, np.zeros((1, count), np.int64)]),
                "steps",
                "steps until the loss stays within 10 % of the adapted node's",
            ),
            "loss": (("start", "replicate", "time"), losses, "psi²", "squared distance from Ψ*"),
            "loss_early": (
                ("start", "replicate"),
                losses[:, :, :period].mean(-1),
                "psi²",
                "loss at first",
            ),
            "taken_over": (("replicate", "weight"), taken, "1", "weights taken over"),
        },
        coords={
            "start": (["scratch", "transfer", "adapted"], "1"),
            "replicate": (np.arange(count), "1"),
            "time": (np.arange(length), "steps"),
            "weight": (["w1", "w2", "w3"], "1"),
        },
        parameters=parameters_of(task, policy=policy, seed=seed, probe=PROBE),
        title="Weight transfer to new nodes",
        source="seed 001; fingerprints of the family",
    )


def _checked_mark(mark: npt.ArrayLike) -> FloatArray:
    x = validate.finite_array("fingerprint", mark, ndim=1)
    if x.shape != (4,):
        raise ParameterError("fingerprint", f"array of shape {x.shape}", "four numbers")
    return x


def _checked_weights(weights: npt.ArrayLike) -> FloatArray:
    w = validate.probabilities("weights", weights)
    if w.shape != (3,):
        raise ParameterError("weights", f"array of shape {w.shape}", "three weights")
    return w


def _cosine(a: FloatArray, b: FloatArray) -> float:
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / size if size > 0.0 else 0.0
