"""entro_nb: explorable, executable research on entropy-based monitoring and control.

Four published systems look at the entropy of a running system from four sides. This package
holds their mathematics; the notebooks beside it tell the story. The names below are the ones to
begin with; each loads when it is first used, so that importing the package costs no more than
importing NumPy. What is not among them is in its room: ``entro_nb.engine``, ``entro_nb.network``.
"""

from __future__ import annotations

import difflib
import importlib
from typing import Any

__version__ = "0.1.0"

#: The names to begin with, by the room that they come from.
_FACE = {
    "views": ("setup", "show", "figure", "apps"),
    "entropy": ("shannon", "miller_madow", "rolling", "derivatives"),
    "surprise": ("Surprise", "SurpriseConfig"),
    "accountant": (
        *("Accountant", "AccountantConfig", "EeFrame", "Stability", "Normalizer", "DecisionGate"),
        *("account", "normalize", "calibrate"),
    ),
    "engine": (
        *("psi_from_rate", "psi_total", "ENTROEngineController", "EntropyBudget"),
        *("ProportionalAllocator", "control_signal", "laws", "pipeline", "simulate"),
        *("replicate", "identify", "regimes"),
    ),
    "network": (
        *("PsiSync", "NetThreshold", "FaultIsolation", "CollectiveAEW", "simulate_network"),
        *("contagion", "transfer_study", "scaling_study", "published_variance"),
        "predicted_variance",
    ),
    "graphs": ("Graph", "graph", "as_graph"),
    "geometry": (
        *("IEGN_Node", "ManifoldOptimizer", "curvature", "ollivier_ricci", "ricci_flow"),
        *("lagrangian", "anneal", "consensus", "resilient_consensus", "karate_club"),
    ),
    "streams": ("CATALOG", "scalars", "generate", "Scenario", "Replay", "load_recording"),
    "spokesperson": ("Session", "Spokesperson", "Trail"),
    "monitor": ("watch",),
    "benchmark": ("nab",),
    "sweep": ("run_sweep",),
    "periods": ("summarize",),
    "claims": ("evaluate",),
    "report": ("run_report",),
    "record": ("verdict", "result", "attach"),
    "results": ("dataset", "mean_interval", "share_interval"),
    "errors": ("EntroError", "ParameterError", "DataError"),
    "settings": (),
}
_HOME = {name: room for room, names in _FACE.items() for name in names}

__all__ = ["__version__", *_HOME, *_FACE]
__doc__ += "\n" + "\n".join(f"{room}: {', '.join(names)}" for room, names in _FACE.items())


def __getattr__(name: str) -> Any:
    if name in _FACE:
        return importlib.import_module(f"entro_nb.{name}")
    if name in _HOME:
        return getattr(importlib.import_module(f"entro_nb.{_HOME[name]}"), name)
    # Not `validate.nearest`: Python asks here too for files that it is about to import.
    guess = difflib.get_close_matches(name, __all__, n=1)
    meant = f" (did you mean {guess[0]!r}?)" if guess else ""
    raise AttributeError(f"module 'entro_nb' has no attribute {name!r}{meant}", name=name)


def __dir__() -> list[str]:
    return __all__
