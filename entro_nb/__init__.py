"""entro_nb: explorable, executable research on entropy-based monitoring and control.

Four published systems look at the entropy of a running system from four sides. This package
holds their mathematics; the notebooks beside it tell the story. Public names load on first
use, so that importing the package costs no more than importing NumPy.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

#: Where each public name lives: a module of the package, or a name inside one.
_HOMES = {
    "Accountant": "accountant",
    "AccountantConfig": "accountant",
    "CollectiveAEW": "network",
    "DecisionGate": "accountant",
    "ENTROEngineController": "engine",
    "EeFrame": "accountant",
    "EntroError": "errors",
    "EntropyBudget": "engine",
    "FaultIsolation": "network",
    "IEGN_Node": "geometry",
    "ManifoldOptimizer": "geometry",
    "NetThreshold": "network",
    "Normalizer": "accountant",
    "ProportionalAllocator": "engine",
    "PsiSync": "network",
    "Spokesperson": "spokesperson",
    "account": "accountant",
}
_MODULES = (
    "accountant",
    "claims",
    "engine",
    "entropy",
    "errors",
    "geometry",
    "network",
    "report",
    "results",
    "spokesperson",
    "streams",
    "sweep",
    "views",
)

__all__ = ["__version__", *sorted(_HOMES), *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"entro_nb.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(f"entro_nb.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'entro_nb' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
