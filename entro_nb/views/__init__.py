"""Views and apps: from results to HoloViews objects and Panel widgets. Nothing below imports it.

Apps load on first use: a notebook about curvature need not wait for the control laws.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

from entro_nb.views.app import (
    App as App,
    Figure as Figure,
    figure as figure,
    setup as setup,
    show as show,
)

#: Name under which `entro-nb serve` offers an app, its module here, and its class.
_APPS = {
    "map": ("overview", "SystemMap"),
    "histogram": ("entropy", "HistogramApp"),
    "accountant": ("entropy", "AccountantApp"),
    "watch": ("surprise", "WatchApp"),
    "benchmark": ("surprise", "BenchmarkApp"),
    "streams": ("dashboard", "SpokespersonApp"),
    "budget": ("engine", "BudgetApp"),
    "pipeline": ("engine", "PipelineApp"),
    "regimes": ("engine", "RegimeApp"),
    "network": ("network", "SyncApp"),
    "stability": ("network", "StabilityApp"),
    "learning": ("network", "LearningApp"),
    "isolation": ("network", "IsolationApp"),
    "scaling": ("network", "ScalingApp"),
    "flow": ("geometry", "FlowApp"),
    "landscape": ("geometry", "LandscapeApp"),
    "liars": ("geometry", "LiarsApp"),
}

#: Files of views, loaded when asked for.
_SUBJECTS = {*(module for module, _ in _APPS.values()), "style"}


class _Apps(Mapping[str, type[App]]):
    """Every app, loaded when asked for: by the name it is served under, or as an attribute."""

    def __getitem__(self, name: str) -> type[App]:
        module, cls = _APPS[name]
        found: type[App] = getattr(importlib.import_module(f"{__name__}.{module}"), cls)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(_APPS)

    def __len__(self) -> int:
        return len(_APPS)

    def __getattr__(self, name: str) -> type[App]:
        for app, (_, cls) in _APPS.items():
            if name == cls.removesuffix("App"):
                return self[app]
        raise AttributeError(f"no app is called {name!r}: there are {', '.join(dir(self))}")

    def __dir__(self) -> list[str]:
        return sorted(cls.removesuffix("App") for _, cls in _APPS.values())


#: The apps: ``apps.Pipeline()``, or ``apps["pipeline"]`` as `entro-nb serve` has it.
apps = _Apps()


def __getattr__(name: str) -> Any:
    if name in _SUBJECTS:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
