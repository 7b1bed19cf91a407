"""Every published claim of the five documents, and what we get.

Nothing in the table is typed in: each finding is computed by the code of its claim.
"""

from entro_nb.claims.finding import Finding, Verdict
from entro_nb.claims.published import figures, published
from entro_nb.claims.table import evaluate, summary

__all__ = ["Finding", "Verdict", "evaluate", "figures", "published", "summary"]
