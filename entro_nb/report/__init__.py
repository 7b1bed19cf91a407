"""Notebooks run in batch: checked parameters, a bounded pool, pages that stand alone offline."""

from entro_nb.report.folder import (
    Checkout as Checkout,
    Entry as Entry,
    Manifest as Manifest,
)
from entro_nb.report.run import (
    Bar as Bar,
    Lines as Lines,
    Progress as Progress,
    run_report as run_report,
)
