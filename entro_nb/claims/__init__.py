"""Every published claim of the five documents, and what we get.

Nothing in the table is typed in: each finding is computed by the code of its claim.
"""

from entro_nb.claims.table import (
    Finding,
    Verdict,
    evaluate,
    evaluators,
    figures,
    judged,
    observed,
    published,
    summary,
)

__all__ = [
    "Finding",
    "Verdict",
    "evaluate",
    "evaluators",
    "figures",
    "judged",
    "observed",
    "published",
    "summary",
]
