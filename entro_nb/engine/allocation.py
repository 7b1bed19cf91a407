"""Who bears the pressure: proportional allocation and its fairness (seed 000, Eq. 12–13)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import ParameterError
from entro_nb.validate import FloatArray

__all__ = ["ProportionalAllocator", "fairness"]

#: A part may exceed its whole by rounding, never by more.
ROUNDING = 1e-12


@dataclass(frozen=True)
class ProportionalAllocator:
    """Pressure in proportion to each subsystem's entropy, ρ_i = Ψ_i / Ψ_total (Eq. 12–13).

    The share of a subsystem falls when *another* one grows: in the pipeline of seed 000 the
    scraper fills the queue, the queue's entropy rises, and the scraper's share sinks. That is
    why the published law presses the culprit less the longer the surge lasts.

    Examples
    --------
    >>> ProportionalAllocator().ratios([1.0, 3.0])
    array([0.25, 0.75])
    >>> ProportionalAllocator().ratios([0.0, 0.0])
    array([0., 0.])
    """

    def ratios(self, psi: npt.ArrayLike, axis: int = -1) -> FloatArray:
        """Shares of all subsystems along `axis`, from their entropies in nats.

        They add up to 1, or are all 0 when there is no entropy to share (0/0 → 0).
        """
        values = validate.finite_array("psi", psi, low=0.0)
        if values.ndim == 0:
            values = values[np.newaxis]
        return self._shares(
            values, values.sum(axis=validate.checked_axis(axis, values.ndim), keepdims=True)
        )

    def share(self, psi_i: npt.ArrayLike, psi_total: npt.ArrayLike) -> FloatArray:
        """Share of subsystems whose entropy and total are both given; shapes must broadcast.

        Raises
        ------
        ParameterError
            If an entropy is negative or larger than its total, or the shapes do not fit.
        """
        part = validate.finite_array("psi_i", psi_i, low=0.0)
        total = validate.finite_array("psi_total", psi_total, low=0.0)
        try:
            excess = part - total * (1.0 + ROUNDING)
        except ValueError:
            raise ParameterError(
                "shapes of psi_i and psi_total", (part.shape, total.shape), "shapes that broadcast"
            ) from None
        if (excess > 0.0).any():
            where = tuple(int(k) for k in np.argwhere(excess > 0.0)[0])
            raise ParameterError(
                validate.element("psi_i", where),
                float(np.broadcast_to(part, excess.shape)[where]),
                f"at most psi_total = {float(np.broadcast_to(total, excess.shape)[where]):g}",
            )
        return self._shares(part, total)

    @staticmethod
    def _shares(part: FloatArray, total: FloatArray) -> FloatArray:
        shares = np.zeros(np.broadcast_shapes(part.shape, total.shape))
        return np.asarray(np.divide(part, total, out=shares, where=total > 0.0))


def fairness(u: npt.ArrayLike, psi: npt.ArrayLike, axis: int = -1) -> FloatArray:
    """Jain's index of the pressure per unit of entropy, x_i = |u_i|/Ψ_i (ours).

    The seed claims fairness without measuring it. Jain's index (Σx)²/(N·Σx²) is 1 when each
    subsystem bears pressure in proportion to its entropy and 1/N when one bears it all;
    subsystems without entropy are left out, and no pressure at all counts as fair.

    Parameters
    ----------
    u, psi : array_like
        Control signals and entropies (nats), of equal shape.
    axis : int
        Axis of the subsystems.

    Returns
    -------
    ndarray
        Index in [1/N, 1], with `axis` removed.

    References
    ----------
    Jain, Chiu and Hawe, A quantitative measure of fairness and discrimination for resource
    allocation in shared computer systems, DEC-TR-301, 1984.

    Examples
    --------
    >>> float(fairness([-0.1, -0.3], [1.0, 3.0]))
    1.0
    >>> float(fairness([-0.4, 0.0], [2.0, 2.0]))
    0.5
    """
    signal = validate.finite_array("u", u)
    entropy = validate.finite_array("psi", psi, low=0.0)
    if signal.shape != entropy.shape:
        raise ParameterError("shapes of u and psi", (signal.shape, entropy.shape), "equal shapes")
    if signal.ndim == 0:
        signal, entropy = signal[np.newaxis], entropy[np.newaxis]
    axis = validate.checked_axis(axis, signal.ndim)
    counted = entropy > 0.0
    burden = np.divide(np.abs(signal), entropy, out=np.zeros(signal.shape), where=counted)
    # Jain's index knows no scale; a common one keeps the squares of tiny burdens from vanishing.
    largest = burden.max(axis=axis, keepdims=True)
    burden = np.divide(burden, largest, out=np.zeros(burden.shape), where=largest > 0.0)
    squares = counted.sum(axis=axis) * (burden**2).sum(axis=axis)
    index = np.ones(squares.shape)
    np.divide(burden.sum(axis=axis) ** 2, squares, out=index, where=squares > 0.0)
    return np.asarray(np.minimum(index, 1.0))
