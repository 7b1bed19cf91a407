"""How patient an adapter is, and how much it takes in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from entro_nb import validate

__all__ = ["USER_AGENT", "Policy"]

#: Some servers refuse clients that do not say who they are.
USER_AGENT = "entro-nb/0.1 (research notebook; one connection a stream)"


@dataclass(frozen=True, slots=True)
class Policy:
    """Timeouts, limits and backoff of a connection.

    Parameters
    ----------
    base, cap : float
        Seconds before the first new try, and at most. Each failure in a row doubles the wait;
        a value received ends the row.
    jitter : float
        Share of the wait that is left to chance, in [0, 1), so that clients that were cut off
        together do not come back together.
    timeout : float
        Seconds to connect, to subscribe, and to receive one whole answer to a request.
    ping : float
        Seconds between keep-alive signals.
    limit : int
        Largest message in bytes; a larger one ends the connection before it is held whole.
    patience : float
        Longest wait that a server may ask for (Retry-After), in seconds; more is not believed.
    stall : float, optional
        Seconds of silence after which a connection is given up; the stream's own if not given.

    Raises
    ------
    ParameterError
        If a number is out of range.

    Examples
    --------
    >>> Policy(base=1.0, cap=60.0).bound
    60.0
    """

    base: float = 1.0
    cap: float = 60.0
    jitter: float = 0.5
    timeout: float = 10.0
    ping: float = 15.0
    limit: int = 4 * 2**20
    patience: float = 3600.0
    stall: float | None = None

    def __post_init__(self) -> None:
        validate.real("base", self.base, low=0.0, open_low=True)
        validate.real("cap", self.cap, low=self.base)
        validate.real("jitter", self.jitter, low=0.0, high=1.0, open_high=True)
        for name in ("timeout", "ping"):
            validate.real(name, getattr(self, name), low=0.0, open_low=True)
        validate.integer("limit", self.limit, 1)
        validate.real("patience", self.patience, low=0.0)
        if self.stall is not None:
            validate.real("stall", self.stall, low=0.0, open_low=True)

    @property
    def bound(self) -> float:
        """Longest wait between two tries, in seconds."""
        return self.cap

    def wait(self, failures: int, rng: np.random.Generator) -> float:
        """Seconds to wait after so many failures in a row, at least one.

        base · 2^(failures − 1), at most `cap`, less a random share of up to `jitter`.
        """
        # Beyond 2⁶⁰ the cap has long been reached, and the power would overflow.
        full = min(self.cap, self.base * 2.0 ** min(failures - 1, 60))
        return float(full * (1.0 - self.jitter * rng.random()))
