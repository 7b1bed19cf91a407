"""Every published claim of the five documents, and what we get.

What was published is data, with its place; each finding is computed by the code of its claim, and
the verdict follows from the readings tried.
"""

from entro_nb.claims.table import (
    Finding as Finding,
    Kind as Kind,
    Reading as Reading,
    Verdict as Verdict,
    evaluate as evaluate,
    evaluators as evaluators,
    figures as figures,
    judged as judged,
    observed as observed,
    published as published,
    select as select,
    summary as summary,
)
