"""What an app is: parameters one can move, and the figure they make.

The same class stands in a notebook, under ``panel serve``, and, as a twin that plays through
the values of one parameter, in a static report. A figure has a text alternative and lives without
the network; what a widget says before the kernel knows of it is kept.
"""

from __future__ import annotations

import functools
import html
import inspect
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import holoviews as hv
import panel as pn
import param

from entro_nb.errors import ParameterError
from entro_nb.record import REPORT, THUMBNAIL, quick_schemas
from entro_nb.views import style

#: A view: from the app's result to something HoloViews draws.
View = Callable[[Any], Any]


def _by_name(view: Callable[..., Any]) -> View:
    """A view that takes out of a result of many names those that it asks for."""
    asked = inspect.signature(view).parameters

    @functools.wraps(view)
    def draw(result: Any) -> Any:
        if not isinstance(result, SimpleNamespace):
            return view(result)
        return view(**{name: value for name, value in vars(result).items() if name in asked})

    return draw


class App(param.Parameterized):  # type: ignore[misc]
    """Base of all apps.

    A subclass declares `param` parameters with labels (its controls), computes a result from
    them in `compute`, and names in `views` the functions that draw it. What `compute` returns as
    a dict stands, with the controls, in the result by name, and each view is called with the
    names that it asks for; any other result is handed to it whole. `twin` names a parameter and
    the values that the static twin plays through.
    """

    title: ClassVar[str] = ""
    #: What a reader sees, in a sentence: the text alternative of the whole app.
    alt: ClassVar[str] = ""
    #: Functions from the result to a HoloViews element, of a structure that never changes.
    views: ClassVar[Sequence[View]] = ()
    columns: ClassVar[int] = 1
    twin: tuple[str, Sequence[Any]]
    widgets: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "views" in vars(cls):
            cls.views = tuple(_by_name(view) for view in cls.views)

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
        values = {name: getattr(self, name) for name in self.controls()}
        key = tuple(values.values())
        if self._cache is None or self._cache[0] != key:
            found = self.compute()
            named = isinstance(found, dict)
            self._cache = (key, SimpleNamespace(**values | found) if named else found)
        return self._cache[1]

    @classmethod
    def controls(cls) -> list[str]:
        """Names of the parameters, in the order of declaration."""
        return [name for name in cls.param if name != "name" and cls.param[name].precedence != -1]

    def live(self) -> hv.Layout:
        """Linked plots that follow the parameters."""
        return hv.Layout([self.follow(view) for view in self.views]).cols(self.columns)

    def follow(self, view: View, *streams: Any) -> hv.DynamicMap:
        """One plot that follows the parameters, and listens to further streams."""
        moved = hv.streams.Params(self, self.controls())
        return hv.DynamicMap(lambda **_: view(self.result), streams=[moved, *streams])

    @classmethod
    def drawn(cls, result: Any) -> hv.Layout:
        """The plots of any result, with nothing that moves."""
        return hv.Layout([view(result) for view in cls.views]).cols(cls.columns)

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
        # It begins at the present value, as the numbers beside it do.
        start = {"default": before} if before in values else {}
        moved = hv.Dimension(label, **start)
        plots = hv.Layout([hv.HoloMap(frame, kdims=[moved]) for frame in frames])
        return plots.opts(title="").cols(self.columns)

    def knobs(self) -> pn.Param:
        """The parameters as widgets."""
        look = {"name": self.title, "widgets": self.widgets, "width": 320}  # a selector is 300
        return pn.Param(self.param, parameters=self.controls(), **look)

    def panel(self) -> pn.viewable.Viewable:
        """Controls beside the plots, for a notebook or a server."""
        return pn.Row(self.knobs(), pn.pane.HoloViews(self.live()))


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

    Examples
    --------
    >>> from entro_nb.views import apps
    >>> show(apps.Histogram(), alt="A histogram to drag, and its entropy.")
    Figure: A histogram to drag, and its entropy.
    """
    content = app.still() if in_report() else app.panel()
    return figure(content, alt or app.alt, thumbnail=app.drawn(app.result) if thumbnail else False)


def in_report() -> bool:
    """Whether this kernel runs for a report, so that no widget will have a kernel behind it."""
    return bool(os.environ.get(REPORT))


class Figure:
    """A HoloViews object or Panel layout with a caption that says what it shows.

    Parameters
    ----------
    content : HoloViews object or Panel viewable
    alt : str
        What the figure shows, in a sentence: caption for all, text alternative for a reader
        who cannot see it, and the cell's text output.
    """

    def __init__(self, content: Any, alt: str) -> None:
        self.content, self.alt = content, alt

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        data, metadata = _rendered(self.content)
        text = html.escape(self.alt)
        body = data.get("text/html", "")
        data = data | {
            "text/plain": repr(self),
            "text/html": f'<figure role="group" aria-label="{text}" style="margin:0">{body}'
            f"<figcaption>{text}</figcaption></figure>",
        }
        return data, metadata


def _rendered(content: Any) -> Any:
    """Mimebundle of a view; one that plays carries all its frames."""
    if isinstance(content, pn.viewable.Viewable):
        return content._repr_mimebundle_()
    pane = pn.pane.HoloViews(content, widget_location="top_left", center=False)
    with pn.config.set(embed=bool(content.traverse(lambda x: x, [_plays])), inline=True):
        return pane._repr_mimebundle_()


def _plays(view: Any) -> bool:
    return isinstance(view, hv.HoloMap) and not isinstance(view, hv.DynamicMap)


def figure(content: Any, alt: str, *, thumbnail: Any = False) -> Figure:
    """Figure of a view, with its text alternative.

    Parameters
    ----------
    content : HoloViews object
        What to show.
    alt : str
        What it shows, in a sentence.
    thumbnail : bool or HoloViews object
        Whether the gallery shows this one for the notebook; or a part of it that does better
        at the size of a stamp.

    Returns
    -------
    Figure
        Shows itself at the end of a cell.

    Raises
    ------
    ParameterError
        If `alt` says nothing.

    Examples
    --------
    >>> figure(hv.Curve([0.9, 0.7, 0.4]), alt="Entropy falls from step to step.")
    Figure: Entropy falls from step to step.
    """
    setup()
    if not str(alt).strip():
        raise ParameterError("alt", alt, "a sentence that says what the figure shows")
    if thumbnail is not False and (path := os.environ.get(THUMBNAIL)):
        style.write_thumbnail(content if thumbnail is True else thumbnail, Path(path))
    return Figure(content, alt)


#: Messages kept at most: those of a page whose kernel was restarted are never claimed.
LIMIT = 256


#: Held by whoever hears a widget or changes what one shows. What is to be sent to a page waits in
#: its Bokeh document for a moment, and hearing a message of that page empties the document: a
#: change made on another thread at that moment would never be seen.
TURN = threading.RLock()


class EarlyMessages:
    """Handlers of a kernel that keep messages until their comm is open, and hear one at a time.

    JupyterLab sends a widget's messages to a thread of the kernel's own (a subshell), but the one
    that announces the widget to the main one, where it waits for the cells that still run. A
    message that comes first is dropped by ipykernel, the page waits for its answer, and the
    reader's first move of a slider goes unheard.

    Parameters
    ----------
    kernel : ipykernel.ipkernel.IPythonKernel
        Its handlers are replaced by ones that call them.
    """

    def __init__(self, kernel: Any) -> None:
        self._comms = kernel.comm_manager.comms
        self._handlers = dict(kernel.shell_handlers)
        self._waiting: deque[tuple[str, tuple[Any, Any, Any]]] = deque(maxlen=LIMIT)
        self._opening: set[str] = set()
        self._lock = threading.Lock()
        kernel.shell_handlers |= {"comm_open": self.open, "comm_msg": self.message}

    def open(self, stream: Any, ident: Any, msg: Any) -> None:
        """Open a comm, and hand it what came before."""
        name = msg["content"]["comm_id"]
        with self._lock:
            self._opening.add(name)
        try:
            self._handlers["comm_open"](stream, ident, msg)
        except BaseException:
            self._claimed(name)
            raise
        with TURN:  # what comes from now on waits behind what came before
            for given in self._claimed(name):
                self._handlers["comm_msg"](*given)

    def _claimed(self, name: str) -> list[tuple[Any, Any, Any]]:
        with self._lock:
            self._opening.discard(name)
            early = [given for other, given in self._waiting if other == name]
            rest = [pair for pair in self._waiting if pair[0] != name]
            self._waiting = deque(rest, LIMIT)
        return early

    def message(self, stream: Any, ident: Any, msg: Any) -> None:
        """Hand a message on, or keep it if its comm is not open yet."""
        name = msg["content"]["comm_id"]
        with self._lock:
            if name not in self._comms or name in self._opening:
                self._waiting.append((name, (stream, ident, msg)))
                return
        with TURN:
            self._handlers["comm_msg"](stream, ident, msg)


def keep_early_messages() -> None:
    """Have the kernel that this runs in, if it is one, keep messages until their comm is open."""
    if "ipykernel" not in sys.modules:
        return
    from IPython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    handlers = getattr(kernel, "shell_handlers", {})
    if "comm_msg" not in handlers or not hasattr(kernel, "comm_manager"):
        return
    if not isinstance(getattr(handlers["comm_msg"], "__self__", None), EarlyMessages):
        EarlyMessages(kernel)


@functools.cache
def setup() -> None:
    """Load plotting with its scripts inline, and put the book's theme and defaults in force.

    The first cell of every notebook calls it. Without it BokehJS would come from a content
    delivery network, and with no network a figure would stay blank without an error.

    Examples
    --------
    >>> setup()
    """
    keep_early_messages()
    if "ipykernel" in sys.modules:
        quick_schemas()
    hv.extension("bokeh", inline=True, logo=False)
    pn.extension(inline=True)
    style.apply()
