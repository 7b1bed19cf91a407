"""Views and apps: from results to HoloViews objects and Panel widgets. Nothing below imports it."""

from entro_nb.views.accountant import AccountantApp
from entro_nb.views.app import App, show
from entro_nb.views.entropy import HistogramApp
from entro_nb.views.figure import Figure, figure
from entro_nb.views.network import StabilityApp, SyncApp
from entro_nb.views.network_faults import IsolationApp
from entro_nb.views.network_learning import LearningApp
from entro_nb.views.network_scaling import ScalingApp
from entro_nb.views.style import setup

__all__ = [
    "APPS",
    "AccountantApp",
    "App",
    "Figure",
    "HistogramApp",
    "IsolationApp",
    "LearningApp",
    "ScalingApp",
    "StabilityApp",
    "SyncApp",
    "figure",
    "setup",
    "show",
]

#: Every app, by the name under which `entro-nb serve` offers it.
APPS: dict[str, type[App]] = {
    "histogram": HistogramApp,
    "accountant": AccountantApp,
    "network": SyncApp,
    "stability": StabilityApp,
    "learning": LearningApp,
    "isolation": IsolationApp,
    "scaling": ScalingApp,
}
