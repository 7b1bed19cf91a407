from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from nbformat import v4

from entro_nb.record import carry_styles
from entro_nb.report import Checkout, Entry, Manifest, html
from entro_nb.report.html import carry_images, gallery_page, mathml
from entro_nb.report.notebook import Job, Outcome

#: Attributes whose address a browser fetches without being asked.
FETCHED = {
    "img": {"src", "srcset"}, "script": {"src"}, "link": {"href"}, "iframe": {"src"},
    "source": {"src", "srcset"}, "video": {"src", "poster"}, "audio": {"src"},
    "object": {"data"}, "embed": {"src"}, "image": {"href", "xlink:href"},
    "use": {"href", "xlink:href"}, "form": {"action"}, "track": {"src"},
}  # fmt: skip


class Reader(HTMLParser):
    """What a page would fetch, and the outline a screen reader sees."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.styles = ""
        self._in_style = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_style = tag == "style"
        self.tags.append((tag, dict(attrs)))
        for name, value in attrs:
            if name in FETCHED.get(tag, ()) and not (value or "").startswith("data:"):
                self.fetched.append(value or "")
            if name == "style":
                self.styles += value or ""

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.styles += data
            self._in_style = False

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def external(self) -> list[str]:
        """Everything that would leave the page, style sheets included."""
        in_styles = re.findall(r"url\(\s*['\"]?(?!data:)[^)]*\)|@import[^;]*", self.styles)
        return self.fetched + in_styles


PAGES = (("00_map", "The <map>"), ("01_entropy", "Entropy"), ("02_accountant", "Accountant"))

TEXT = r"""# Entropy of $p_i$

Inline $H = -\sum_i p_i \log_2 p_i$, and

$$\begin{aligned} a &< b \\ c &= d \end{aligned}$$

\begin{align} u = -\alpha \end{align}

Broken $\nonsense{x}$. See [the map](00_map.ipynb#top), [later](./02_accountant.ipynb),
[a period](reports/period.ipynb), [absent](99_none.ipynb) and [a paper](https://doi.org/10.1000/1).

<details>
<summary>Answer</summary>

It is $2$.

</details>
"""


def page(name: str = "01_entropy", outcome: Outcome | None = None, source: str = "x") -> str:
    rich = v4.new_output("execute_result", {"text/html": "<b>rich</b>", "text/plain": "plain"})
    latex = v4.new_output("display_data", {"text/latex": r"$\displaystyle x^2$"})
    boom = v4.new_output("error", ename="E", evalue="<boom>", traceback=["<boom>"])
    nb = v4.new_notebook(
        cells=[
            v4.new_markdown_cell("papermill's own", metadata={"tags": [html.ADDED]}),
            v4.new_markdown_cell(TEXT),
            v4.new_code_cell("1 < 2", id="first", execution_count=1, outputs=[rich, latex]),
            v4.new_code_cell("boom()", id="second", execution_count=2, outputs=[boom]),
        ]
    )
    here = [page for page, _ in PAGES].index(name)
    job = Job(
        name,
        str(Path("notebooks") / f"{source}.ipynb"),
        "",
        {"seed": 7},
        title=PAGES[here][1],
        notebook=name,
        previous=PAGES[here - 1] if here else None,
        next=PAGES[here + 1] if here + 1 < len(PAGES) else None,
        links={"reports/period": "reports-period"} | {page: page for page, _ in PAGES},
    )
    return html.notebook_page(nb, job, outcome or Outcome("passed", "", 3.0, 350_000_000))


@pytest.fixture(scope="module")
def text() -> str:
    return page()


def test_nothing_is_fetched(text) -> None:
    assert Reader(text).external() == []


def test_the_reader_would_see_what_is_fetched() -> None:
    seen = Reader(
        '<link href="https://a"><img src="b.png"><style>@import "c"; x { background: url(d) }'
        '</style><script src="//e"></script><p style="background: url(\'f\')">'
        '<a href="https://only-when-followed">'
    ).external()
    assert seen == ["https://a", "b.png", "//e", '@import "c"', "url(d)", "url('f')"]


def test_a_policy_forbids_the_network(text) -> None:
    (policy,) = [m for m in Reader(text).all("meta") if "http-equiv" in m]
    assert policy["http-equiv"] == "Content-Security-Policy"
    rules = dict(rule.strip().split(" ", 1) for rule in (policy["content"] or "").split(";"))
    assert rules["default-src"] == "'none'"
    assert not any("http" in rule or "*" in rule for rule in rules.values())
    # It holds only for what comes after it.
    assert text.index("Content-Security-Policy") < text.index("<style")


def test_equations_are_mathml(text) -> None:
    maths = Reader(text).all("math")
    kinds = [m["display"] for m in maths]
    assert kinds == ["inline", "inline", "block", "block", "inline", "block"]
    assert maths[1]["alttext"] == r"H = -\sum_i p_i \log_2 p_i"
    assert "$" not in re.sub(
        r"<(style|code|script).*?</\1>|alttext=\"[^\"]*\"", "", text, flags=re.S
    )
    assert r'<code class="tex" title="equation in TeX">\nonsense{x}</code>' in text
    assert "<mtable" in text
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in text


def test_headings_keep_their_equations_and_can_be_linked_to(text) -> None:
    (heading,) = re.findall(r"<h1.*?</h1>", text, re.S)
    assert 'id="Entropy-of-' in heading
    assert "<math" in heading
    assert "ns0" not in heading


def test_links_between_notebooks_lead_to_pages(text) -> None:
    links = {link.get("href") for link in Reader(text).all("a")}
    wanted = {"00_map.html#top", "02_accountant.html", "reports-period.html"}
    assert wanted | {"https://doi.org/10.1000/1"} <= links
    # One that is not in the report leads nowhere, and says so.
    (absent,) = [link for link in Reader(text).all("a") if "data-notebook" in link]
    assert absent["title"] == "not in this report"
    assert "href" not in absent


def test_neighbours_and_gallery_are_linked(text) -> None:
    links = Reader(text).all("a")
    assert {link["rel"]: link["href"] for link in links if "rel" in link} == {
        "prev": "00_map.html",
        "next": "02_accountant.html",
    }
    assert sum(link.get("href") == "index.html" for link in links) == 2
    assert "The &lt;map&gt;" in text
    first = Reader(page("00_map")).all("a")
    assert all(link.get("rel") != "prev" for link in first)


def test_landmarks_language_and_skip_link(text) -> None:
    reader = Reader(text)
    assert reader.all("html") == [{"lang": "en"}]
    for landmark in ("header", "main", "footer"):
        assert len(reader.all(landmark)) == 1
    assert len({nav["aria-label"] for nav in reader.all("nav")}) == len(reader.all("nav")) == 2
    first = next(a for a in reader.all("a"))
    assert first == {"class": "skip", "href": "#content"}
    assert reader.all("main")[0]["id"] == "content"
    assert reader.all("title") == [{}]
    assert "<title>Entropy</title>" in text


def test_nothing_the_reader_needs_is_hidden(text) -> None:
    assert "1</span> <span" in text  # the code
    assert "<b>rich</b>" in text
    assert "&lt;boom&gt;" in text
    assert "display: none" not in text.split("@media print")[0]


def test_cost_and_parameters_are_told(text) -> None:
    footer = text[text.index("<footer") :]
    for fact in ("passed", "3.0 s", "350 MB", "seed", "7"):
        assert f"<dd>{fact}</dd>" in footer or f"<dt>{fact}</dt>" in footer


def test_a_failure_is_told_first_and_leads_to_its_cell() -> None:
    text = page(outcome=Outcome("failed", "E: <boom> (in “Entropy”)", 3.0, None))
    assert "papermill's own" not in text
    banner = text[text.index('role="alert"') : text.index("</header>")]
    assert "E: &lt;boom&gt;" in banner
    assert 'href="#cell-id=second"' in banner
    assert 'id="cell-id=second"' in text


def test_light_and_dark_and_small_screens(text) -> None:
    reader = Reader(text)
    assert "prefers-color-scheme: dark" in reader.styles
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in reader.all(
        "meta"
    )


def test_style_sheets_of_figures_are_carried_along() -> None:
    def document(url: str) -> str:
        return f'{{"name":"ImportedStyleSheet","id":"7","attributes":{{"url":"{url}"}}}}'

    dist = "https://cdn.holoviz.org/panel/1.9.4/dist/"
    carried = carry_styles(document(f"{dist}css/loading.css?v=1.9.4"))
    assert carried.startswith('{"name":"InlineStyleSheet","id":"7","attributes":{"css":"')
    assert "http" not in carried
    for unknown in (f"{dist}css/none.css", "https://example.org/a.css"):
        assert carry_styles(document(unknown)) == document(unknown)


def test_a_folded_answer_holds_its_text(text) -> None:
    (answer,) = re.findall(r"<details>.*?</details>", text, re.S)
    assert "It is <math" in answer


def test_pictures_travel_with_the_page(tmp_path) -> None:
    (tmp_path / "a b.png").write_bytes(html.PNG)
    carried = carry_images('<p><img alt="A" src="a%20b.png" width="3"/></p>', tmp_path)
    assert carried == '<p><img alt="A" src="data:image/png;base64,iVBORw0KGgo=" width="3"/></p>'
    assert carry_images(carried, tmp_path) == carried
    for address in ("https://example.org/a.png", "//example.org/a.png", "none.png"):
        assert carry_images(f'<img src="{address}" alt="A">', tmp_path) == "<span>A</span>"


@pytest.mark.parametrize(
    ("tex", "expected"),
    [
        (r"\frac{1}{2}", "<mfrac>"),
        (r"\begin{cases} 1 & x > 0 \\ 0 & \text{else} \end{cases}", "<mtable>"),
        (r"x \tag{14}", "(14)"),
        (r"\hat{H} \label{eq:h}", "<mover"),
        (r"\mathbb{E}[X]", "&#x1D53C;"),
        (r"\operatorname{clip}(x)", "clip"),
    ],
)
def test_equations_of_the_seeds_are_understood(tex: str, expected: str) -> None:
    made = mathml(tex)
    assert made.startswith("<math")
    assert expected in made
    assert "xmlns" not in made


@pytest.mark.parametrize("tex", [r"\foo", r"a & b \\ c", r"\frac{1", "}", ""])
def test_what_is_not_understood_stays_readable(tex: str) -> None:
    made = mathml(tex)
    assert made.startswith(("<math", "<code"))
    assert "<mi>&" not in made


def entry(name: str, **changes: object) -> Entry:
    fields: dict[str, object] = {
        "name": name, "title": f"Title {name}", "summary": "A <summary>.", "status": "passed",
        "error": "", "parameters": {"seed": 3}, "seed": 3, "seconds": 192.0,
        "peak_bytes": 350_000_000, "html": f"{name}.html", "html_sha256": "0",
        "notebook": f"{name}.ipynb",
    }  # fmt: skip
    return Entry(**fields | changes)  # type: ignore[arg-type]


@pytest.fixture
def index(tmp_path) -> str:
    (tmp_path / "a.png").write_bytes(html.PNG + b"rest")
    (tmp_path / "b.png").write_bytes(b"half a pictu")
    entries = (entry("a"), entry("b", status="failed", error="E: <no>", html=None), entry("c"))
    report = Manifest(
        "2026-01-02T03:04:05+00:00",
        Checkout("abc", True),
        {"numpy": "2"},
        "quick",
        {},
        200.0,
        entries,
    )
    return gallery_page(report, {name: tmp_path / f"{name}.png" for name in "abc"})


def test_gallery_fetches_nothing(index) -> None:
    reader = Reader(index)
    assert reader.external() == []
    assert len(reader.all("img")) == 1
    assert index.count('class="blank"') == 2


def test_gallery_tells_what_ran(index) -> None:
    links = [link.get("href") for link in Reader(index).all("a")]
    assert links == ["#content", "a.html", "c.html", "manifest.json"]
    for text in ("3 min 12 s", "350 MB", "A &lt;summary&gt;.", "E: &lt;no&gt;", "preset quick"):
        assert text in index
    assert "1 did not run to the end" in index
    assert "abc" in index
    assert "not committed" in index


def test_gallery_has_an_outline(index) -> None:
    reader = Reader(index)
    assert reader.all("html") == [{"lang": "en"}]
    assert len(reader.all("h1")) == 1
    assert len(reader.all("h2")) == 3
    assert len(reader.all("main")) == 1
    assert reader.all("a")[0] == {"class": "skip", "href": "#content"}
