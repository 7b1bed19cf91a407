"""JupyterLab asks no other machine for anything, whatever a pane comes to show."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from nbformat import v4

#: Panes and widgets of every kind change their text and look, some bound ones; others come later.
PANES = """
import holoviews as hv, pandas as pd, panel as pn
import entro_nb as en
from entro_nb.views import app

app.setup()
TABLE, CURVE = pd.DataFrame({"a": [1.0, 2.0]}), hv.Curve([1, 2])
SAYING = (pn.pane.HTML, pn.pane.Markdown, pn.pane.Str, pn.pane.Alert, pn.pane.JSON)

def kinds(text):
    panes = [kind(f'{{"{kind.__name__}": "{text}"}}') for kind in SAYING]
    panes += [pn.pane.DataFrame(TABLE.rename(columns={"a": text})), pn.pane.HoloViews(CURVE)]
    return panes + [
        pn.widgets.Button(label=text), pn.widgets.StaticText(value=text),
        pn.widgets.TextInput(label=text), pn.widgets.Select(label=text, options=[text]),
        pn.widgets.FloatSlider(label=text), pn.widgets.Checkbox(label=text),
    ]

shown, late = pn.Column(*kinds("before")), pn.Column()
bound = pn.widgets.Select(label="bound", options=["before", "after"])
answer = pn.Column(
    pn.panel(pn.bind(lambda text: pn.pane.HTML(f"<p>bound pane {text}</p>"), bound)),
    pn.pane.HTML(pn.bind(lambda text: f"<p>bound text {text}</p>", bound)),
)
press = pn.widgets.Button(label="Change all")

def change(event):
    for pane, new in zip(shown, kinds("after")):
        for name in ("object", "options", "label"):
            if name in pane.param:
                setattr(pane, name, getattr(new, name))
        if isinstance(pane, pn.widgets.StaticText):
            pane.value = "after"
        pane.loading, pane.stylesheets = True, [":host { color: grey }"]
    late.objects = kinds("late")
    bound.value = "after"
    late.append(pn.pane.HTML("<p>all changed</p>"))

press.on_click(change)
en.figure(pn.Column(press, bound, answer, shown, late), alt="Panes of every kind.")
"""


def test_no_request_leaves_while_every_pane_changes_its_text(
    open_notebook: Callable[[str], Any], workspace: Path
) -> None:
    """`visit`, which made the page, refuses every request of another machine."""
    nb = v4.new_notebook(cells=[v4.new_code_cell(PANES)])
    nb.metadata.kernelspec = {"name": "python3", "display_name": "P", "language": "python"}
    nbformat.write(nb, workspace / "panes.ipynb")
    page = open_notebook("panes.ipynb")
    page.get_by_role("button", name="Change all").click()
    for text in ("all changed", "bound pane after", "bound text after", '{"HTML": "after"}'):
        page.get_by_text(text).wait_for()
    page.wait_for_timeout(500)
