"""A period report as plain text."""

from __future__ import annotations

from entro_nb.periods.readings import REGIMES
from entro_nb.periods.summary import Summary

__all__ = ["plain"]

#: Alerts listed in a report; the rest is counted, and all are in their own file.
LISTED = 10


def plain(summary: Summary, source: str = "", units: str = "1") -> str:
    """Report of one period, in lines of at most 100 characters.

    Parameters
    ----------
    summary : Summary
    source : str
        What was observed.
    units : str
        Units of the load.

    Examples
    --------
    >>> from entro_nb.periods import simulated, summarize
    >>> print(plain(summarize(simulated(days=1))[0]).splitlines()[0])
    REPORT 2026-03-02
    """
    t, s = summary.tally, summary
    lines = [f"REPORT {s.period.label}"]
    if source:
        lines.append(f"of           {source}")
    lines += [
        f"hours        {s.period.seconds / 3600:g}",
        f"readings     {t.count}",
        f"observed     {s.coverage:.1%} of the time",
    ]
    if t.count:
        shares = ", ".join(
            f"{name} {number} ({t.share(k):.1%})"
            for k, (name, number) in enumerate(zip(REGIMES, t.regimes, strict=True))
        )
        lines += [
            f"load         average {t.mean('load'):.3f}, peak {t.peak('load'):.3f} {units}",
            f"Psi          average {t.mean('psi'):.3f}, peak {t.peak('psi'):.3f} nats, "
            f"budget {s.budget:.3f}",
            f"stability    average {t.mean('stability'):.3f}, minimum {t.least('stability'):.3f}",
            f"energy       average {t.mean('energy'):.3f}, peak {t.peak('energy'):.3f}",
            f"memory       average {t.mean('memory'):.3f}, peak {t.peak('memory'):.3f}",
            f"regimes      {shares}",
            f"violations   {t.violations} readings",
        ]
    counts = ", ".join(f"{number} {name}" for name, number in s.severities.items()) or "none"
    lines.append(f"alerts       {counts}")
    lines += [f"  {a.when}  {a.severity:7}  {a.kind:16}  {a.message}" for a in s.alerts[:LISTED]]
    if len(s.alerts) > LISTED:
        lines.append(f"  and {len(s.alerts) - LISTED} more")
    lines.append(f"health       {s.health:.1f} of 100" if t.count else "health       unknown")
    lines.append(f"risk         {s.risk}")
    lines += [f"advice       {text}" for text in s.recommendations]
    return "\n".join(lines) + "\n"
