"""What an app is: parameters one can move, and the figure they make.

The same class stands in a notebook, under ``panel serve``, and, as a twin that plays through
the values of one parameter, in a static report.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import holoviews as hv
import panel as pn
import param

from entro_nb.views.figure import Figure, figure, in_report
from entro_nb.views.style import setup

__all__ = ["App", "show"]

#: A view: from the app's result to something HoloViews draws.
View = Callable[[Any], Any]


class App(param.Parameterized):  # type: ignore[misc]
    """Base of all apps.

    A subclass declares `param` parameters with labels (its controls), computes a result from
    them in `compute`, and names in `views` the functions that draw it. `twin` names a parameter
    and the values that the static twin plays through.
    """

    title: ClassVar[str] = ""
    #: What a reader sees, in a sentence: the text alternative of the whole app.
    alt: ClassVar[str] = ""
    #: Functions from the result to a HoloViews element, of a structure that never changes.
    views: ClassVar[Sequence[View]] = ()
    columns: ClassVar[int] = 1
    twin: ClassVar[tuple[str, Sequence[Any]]]
    widgets: ClassVar[dict[str, Any]] = {}

    def __init__(self, **values: Any) -> None:
        setup()
        super().__init__(**values)
        self._cache: tuple[tuple[Any, ...], Any] | None = None

    def compute(self) -> Any:
        """Result for the present values of the parameters: by default the app with its values."""
        return self

    @property
    def result(self) -> Any:
        """Result for the present values, computed once for all views."""
        key = tuple(getattr(self, name) for name in self.controls())
        if self._cache is None or self._cache[0] != key:
            self._cache = (key, self.compute())
        return self._cache[1]

    @classmethod
    def controls(cls) -> list[str]:
        """Names of the parameters, in the order of declaration."""
        return [name for name in cls.param if name != "name" and cls.param[name].precedence != -1]

    def live(self) -> hv.Layout:
        """Linked plots that follow the parameters."""
        names = self.controls()

        def follow(view: View) -> hv.DynamicMap:
            stream = hv.streams.Params(self, names)
            return hv.DynamicMap(lambda **_: view(self.result), streams=[stream])

        return hv.Layout([follow(view) for view in self.views]).cols(self.columns)

    def picture(self) -> hv.Layout:
        """The same plots for the present values, with nothing that moves."""
        return hv.Layout([view(self.result) for view in self.views]).cols(self.columns)

    def still(self) -> hv.Layout:
        """The same plots over the values of one parameter, with a slider that needs no kernel."""
        name, values = self.twin
        label = self.param[name].label
        frames: list[dict[Any, Any]] = [{} for _ in self.views]
        before = getattr(self, name)
        try:
            for value in values:
                setattr(self, name, value)
                for frame, view in zip(frames, self.views, strict=True):
                    frame[value] = view(self.result)
        finally:
            setattr(self, name, before)
        return hv.Layout([hv.HoloMap(frame, kdims=[label]) for frame in frames]).cols(self.columns)

    def panel(self) -> pn.viewable.Viewable:
        """Controls beside the plots, for a notebook or a server."""
        controls = pn.Param(
            self.param,
            parameters=self.controls(),
            name=self.title,
            widgets=self.widgets,
            width=320,  # a selector is 300 wide
        )
        return pn.Row(controls, pn.pane.HoloViews(self.live(), sizing_mode="fixed"))


def show(app: App, alt: str = "", *, thumbnail: bool = False) -> Figure:
    """App as a widget where a kernel stands behind it, as its static twin in a report.

    Parameters
    ----------
    app : App
    alt : str
        What it shows; the app's own sentence if not given.
    thumbnail : bool
        Whether the gallery shows this one for the notebook.

    Returns
    -------
    Figure
    """
    content = app.still() if in_report() else app.panel()
    return figure(content, alt or app.alt, thumbnail=app.picture() if thumbnail else False)
