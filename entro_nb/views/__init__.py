"""Views and apps: from results to HoloViews objects and Panel widgets. Nothing below imports it."""

from entro_nb.views.accountant import AccountantApp
from entro_nb.views.app import App, show
from entro_nb.views.entropy import HistogramApp
from entro_nb.views.figure import Figure, figure
from entro_nb.views.geometry_apps import FlowApp, LandscapeApp, LiarsApp
from entro_nb.views.overview import SystemMap
from entro_nb.views.style import setup

__all__ = [
    "APPS",
    "AccountantApp",
    "App",
    "Figure",
    "FlowApp",
    "HistogramApp",
    "LandscapeApp",
    "LiarsApp",
    "SystemMap",
    "figure",
    "setup",
    "show",
]

#: Every app, by the name under which `entro-nb serve` offers it.
APPS: dict[str, type[App]] = {
    "map": SystemMap,
    "histogram": HistogramApp,
    "accountant": AccountantApp,
    "flow": FlowApp,
    "landscape": LandscapeApp,
    "liars": LiarsApp,
}
