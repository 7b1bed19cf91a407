"""Views and apps: from results to HoloViews objects and Panel widgets. Nothing below imports it."""

from entro_nb.views.app import App, show
from entro_nb.views.figure import Figure, figure
from entro_nb.views.style import setup

__all__ = ["APPS", "App", "Figure", "figure", "setup", "show"]

#: Every app, by the name under which `entro-nb serve` offers it.
APPS: dict[str, type[App]] = {}
