"""What an HTTP status says when it is not the data asked for, also in a WebSocket's handshake."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from entro_nb.streams.adapters.base import LostError
from entro_nb.streams.adapters.policy import Policy

__all__ = ["refusal", "retry_after"]

_WORDS = {
    401: "credentials refused",
    403: "credentials refused",
    404: "not found",
    410: "gone for good: give another endpoint",
    429: "too many requests",
}


def refusal(status: int, headers: Mapping[str, str], policy: Policy, now: float) -> LostError:
    """The loss of a connection that was refused with a status."""
    reason = f"status {status}" + (f", {_WORDS[status]}" if status in _WORDS else "")
    return LostError(reason, retry_after(headers.get("retry-after"), policy, now))


def retry_after(value: str | None, policy: Policy, now: float) -> float | None:
    """Seconds that a server asks to wait, None if it asks nothing usable.

    Usable is a whole number of seconds or a date, after the present and within the policy's
    patience; and never less than the first backoff, so that no server can make a client spin.

    Examples
    --------
    >>> retry_after("120", Policy(), now=0.0), retry_after("soon", Policy(), now=0.0)
    (120.0, None)
    """
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdecimal():
        seconds = float(value)
    else:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - now
        except (TypeError, ValueError, OverflowError):
            return None
    return max(seconds, policy.base) if 0.0 < seconds <= policy.patience else None
