"""Views and apps: from results to HoloViews objects and Panel widgets. Nothing below imports it.

Apps load on first use: a notebook about curvature need not wait for the control laws.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

from entro_nb.views.app import App, Figure, figure, setup, show

#: Name under which `entro-nb serve` offers an app, its module here, and its class.
_APPS = {
    "map": ("overview", "SystemMap"),
    "histogram": ("entropy", "HistogramApp"),
    "accountant": ("entropy", "AccountantApp"),
    "streams": ("dashboard", "SpokespersonApp"),
    "budget": ("engine", "BudgetApp"),
    "pipeline": ("engine", "PipelineApp"),
    "regimes": ("regimes", "RegimeApp"),
    "network": ("network", "SyncApp"),
    "stability": ("network", "StabilityApp"),
    "learning": ("learning", "LearningApp"),
    "isolation": ("learning", "IsolationApp"),
    "scaling": ("learning", "ScalingApp"),
    "flow": ("geometry", "FlowApp"),
    "landscape": ("geometry", "LandscapeApp"),
    "liars": ("geometry", "LiarsApp"),
}

__all__ = ["APPS", "App", "Figure", "figure", "setup", "show", *(c for _, c in _APPS.values())]


class _Apps(Mapping[str, type[App]]):
    """Every app by name, loaded when asked for."""

    def __getitem__(self, name: str) -> type[App]:
        module, cls = _APPS[name]
        found: type[App] = getattr(importlib.import_module(f"{__name__}.{module}"), cls)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(_APPS)

    def __len__(self) -> int:
        return len(_APPS)


APPS: Mapping[str, type[App]] = _Apps()


def __getattr__(name: str) -> Any:
    for app, (_, cls) in _APPS.items():
        if cls == name:
            return APPS[app]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
