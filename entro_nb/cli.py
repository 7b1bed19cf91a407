"""The command ``entro-nb``. Each command imports what it needs when it runs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from entro_nb import __version__
from entro_nb.errors import EntroError, ParameterError

__all__ = ["main", "parser"]

#: Exit codes besides 0: a notebook failed; the request was wrong; Ctrl-C (as shells say it).
FAILED, USAGE, INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Examples
    --------
    >>> main(["serve", "--port", "0"])
    2
    """
    options, extra = parser().parse_known_args(arguments)
    if extra and options.command is not lab:
        parser().error(f"unrecognized arguments: {' '.join(extra)}")
    options.extra = extra
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except EntroError as error:
        print(f"entro-nb: error: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("entro-nb: interrupted", file=sys.stderr)
        return INTERRUPTED


def parser() -> argparse.ArgumentParser:
    """Parser of the command line."""
    top = argparse.ArgumentParser(
        prog="entro-nb",
        description="Explorable, executable research on entropy-based monitoring and control.",
        epilog="example: entro-nb report 02_accountant -p seed 7",
    )
    top.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    _add_report(commands)
    _add_sweep(commands)
    _add_lab(commands)
    _add_serve(commands)
    _add_claims(commands)
    _add_streams(commands)
    _add_record(commands)
    return top


def _add(commands: Any, command: Callable[..., int], example: str) -> argparse.ArgumentParser:
    summary = (command.__doc__ or "").split("\n")[0].rstrip(".")
    made: argparse.ArgumentParser = commands.add_parser(
        command.__name__,
        help=summary[0].lower() + summary[1:],
        description=f"{summary}.",
        epilog=f"example: {example}",
    )
    made.set_defaults(command=command)
    return made


def _add_report(commands: Any) -> None:
    add = _add(commands, report, "entro-nb report 01 accountant -p seed 7 --jobs 2").add_argument
    add(
        "names",
        nargs="*",
        metavar="NAME",
        help="notebooks, by name, number or part of a name; all when none is given; or one file, "
        "TOML or YAML, with notebooks, parameters, preset, jobs, out, timeout",
    )
    add(
        "-p",
        "--parameter",
        nargs=2,
        action="append",
        default=[],
        metavar=("KEY", "VALUE"),
        help="set a parameter in every notebook that has it; values divided by commas are run "
        "one by one, and every combination with those of others",
    )
    add("--preset", choices=("quick", "full"), help="how much the notebooks compute")
    add("--jobs", type=int, metavar="N", help="notebooks that run at the same time")
    add("--out", metavar="DIR", help="folder (default: reports-out)")
    add("--timeout", type=float, metavar="S", help="seconds allowed for each notebook")
    add("--max-memory", type=float, metavar="MB", help="fail a notebook that takes more memory")
    add("--scheduler", metavar="ADDRESS", help="a Dask cluster to run on, as tcp://host:8786")
    add("--again", action="store_true", help="run also what is finished and unchanged")
    add("--yes", action="store_true", help="do not ask before more than 1000 reports")


def _add_sweep(commands: Any) -> None:
    add = _add(commands, sweep, "entro-nb sweep gain.toml --workers 2").add_argument
    add("file", metavar="FILE", help="TOML or YAML: simulation, grid, replicates, seed, out, …")
    add("--out", metavar="DIR", help="Zarr store, in the place of the file's")
    add("--workers", type=int, default=1, metavar="N", help="processes on this machine")
    add("--scheduler", metavar="ADDRESS", help="a Dask cluster to run on, as tcp://host:8786")


def _add_lab(commands: Any) -> None:
    _add(commands, lab, "entro-nb lab --no-browser --port 8890")


def _add_serve(commands: Any) -> None:
    add = _add(commands, serve, "entro-nb serve --port 5007").add_argument
    add("--port", type=int, default=5006, metavar="N", help="port (default: %(default)s)")
    add("--address", default="127.0.0.1", metavar="A", help="address (default: %(default)s)")
    add(
        "--origin",
        action="append",
        default=[],
        metavar="HOST:PORT",
        help="another host name under which browsers reach the apps; may be repeated",
    )


def _add_claims(commands: Any) -> None:
    add = _add(commands, claims, "entro-nb claims E05 N10 --seed 2").add_argument
    add("ids", nargs="*", metavar="ID", help="claims by their id; all when none is given")
    add("--seed", type=int, default=1, metavar="N", help="random seed (default: %(default)s)")
    add("--summary", action="store_true", help="only the counts, as a Markdown table")


def _add_streams(commands: Any) -> None:
    add = _add(commands, streams, "entro-nb streams check usgs wikipedia").add_argument
    add("what", nargs="?", choices=("list", "check"), default="list", help="list, or try each")
    add("names", nargs="*", metavar="STREAM", help="streams to try; all when none is given")
    add("--seconds", type=float, default=15.0, metavar="S", help="wait (default: %(default)g)")


def _add_record(commands: Any) -> None:
    add = _add(commands, record, "entro-nb record bitstamp --seconds 600").add_argument
    add("stream", metavar="STREAM", help="name in the catalog: see entro-nb streams")
    add("--seconds", type=float, default=60.0, metavar="S", help="how long (default: %(default)g)")
    add("--endpoint", metavar="URL", help="another endpoint than the catalog's")
    add("--out", metavar="FILE", help="file to write (default: STREAM.nc)")


def report(options: argparse.Namespace) -> int:
    """Run notebooks and write them as a report that opens offline."""
    from entro_nb.report import Bar, Lines, run
    from entro_nb.report.runner import DEFAULT_TIMEOUT

    asked = _request(options)
    out = str(asked.setdefault("out", "reports-out"))
    asked.setdefault("timeout", DEFAULT_TIMEOUT)
    with _executor(options.scheduler) as executor:
        manifest = run(
            **asked,
            executor=executor,
            again=options.again,
            agree=lambda runs: options.yes or _asked(runs),
            max_memory=options.max_memory,
            progress=Bar(sys.stderr) if sys.stderr.isatty() else Lines(sys.stderr),
        )
    print(os.path.join(out, "index.html"))
    for entry in manifest.failed:
        print(f"entro-nb: {entry.name} {entry.status}: {entry.error}", file=sys.stderr)
    return FAILED if manifest.failed else 0


def _request(options: argparse.Namespace) -> dict[str, Any]:
    """What is asked of a report: by a file, and by the line, which has the last word."""
    from entro_nb import settings
    from entro_nb.report.batch import alternatives

    asked: dict[str, Any] = {}
    names = list(options.names)
    if len(names) == 1 and names[0].endswith(settings.ENDINGS):
        asked = settings.load(names.pop())
        settings.known(asked, ("notebooks", "parameters", "preset", "jobs", "out", "timeout"))
    keys = [key for key, _ in options.parameter]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ParameterError("parameter", twice, "each parameter once")
    filed, parameters = asked.pop("notebooks", []), asked.pop("parameters", {})
    for name, value, kind in (("notebooks", filed, list), ("parameters", parameters, dict)):
        if not isinstance(value, kind):
            raise ParameterError(name, value, f"a {kind.__name__}")
    if unquoted := [name for name in filed if not isinstance(name, str)]:
        raise ParameterError("notebooks", unquoted[0], "text, as '02' in quotation marks")
    line = {key: alternatives(value) for key, value in options.parameter}
    given = {
        name: getattr(options, name)
        for name in ("preset", "jobs", "out", "timeout")
        if getattr(options, name) is not None
    }
    defaults = {"preset": None, "jobs": None}
    return defaults | asked | given | {"names": [*filed, *names], "parameters": parameters | line}


def _asked(runs: int) -> bool:
    """Whether whoever sits there means so many reports."""
    if not sys.stdin.isatty():
        return False
    return input(f"{runs} reports: go on? [y/N] ").strip().lower() in ("y", "yes")


@contextmanager
def _executor(scheduler: str | None) -> Iterator[Any]:
    """Executor of a Dask cluster; None for this machine's own."""
    if scheduler is None:
        yield None
        return
    from entro_nb.sweep import client_of

    with client_of(scheduler, 1) as client:
        yield client.get_executor(pure=False)


def sweep(options: argparse.Namespace) -> int:
    """Run a simulation over a grid of parameters into a Zarr store, and go on where it stopped."""
    from entro_nb.sweep import read_sweep, run_sweep, watch

    asked = read_sweep(options.file)
    if options.out is not None:
        asked["out"] = options.out
    if asked.get("out") is None:
        raise ParameterError("out", None, "a Zarr store, in the file or as --out")
    with watch(sys.stderr) as progress:
        run_sweep(**asked, workers=options.workers, scheduler=options.scheduler, progress=progress)
    print(asked["out"])
    return 0


def lab(options: argparse.Namespace) -> int:
    """Open JupyterLab at the first notebook; other options go to JupyterLab."""
    from entro_nb import resources

    folder = resources.notebooks()
    os.execv(  # in the place of this process, so that Ctrl-C and signals are JupyterLab's own
        sys.executable,
        [
            sys.executable,
            "-m",
            "jupyterlab",
            f"--ServerApp.root_dir={folder}",
            *options.extra,
            str(folder / "00_start_here.ipynb"),
        ],
    )


def claims(options: argparse.Namespace) -> int:
    """Evaluate published claims and print what was found."""
    from entro_nb.claims import evaluate, summary

    found = evaluate(options.ids or None, seed=options.seed)
    if options.summary:
        print(summary(found))
        return 0
    for name in found.claim.values:
        row = {key: str(found[key].sel(claim=name).item()) for key in found.data_vars}
        print(f"{name}  {row['verdict'].upper()}  {row['text']}")
        for label in ("published", "obtained", "why", "instead", "notebook"):
            if row[label]:
                print(f"      {label:10s} {row[label]}")
    return 0


def serve(options: argparse.Namespace) -> int:
    """Serve all apps to browsers on this machine."""
    from entro_nb import validate

    port = validate.integer("port", options.port, 1, 65535)

    import panel as pn

    from entro_nb import views

    # A page may open its websocket only from the address it came from; loopback has two names.
    hosts = {options.address}
    if options.address in ("127.0.0.1", "localhost", "::1"):
        hosts |= {"127.0.0.1", "localhost"}
    titles = {name: app.title or name for name, app in views.APPS.items()}
    pn.config.index_titles = {f"/{name}": title for name, title in titles.items()}
    pn.serve(
        {name: _page(app) for name, app in views.APPS.items()},
        port=port,
        address=options.address,
        websocket_origin=[*(f"{host}:{port}" for host in sorted(hosts)), *options.origin],
        show=False,
        title=titles,
        # Panel's own page of apps fetches pictures and fonts from elsewhere.
        index=str(Path(__file__).parent / "views" / "index.html"),
    )
    return 0


def streams(options: argparse.Namespace) -> int:
    """List the streams of the catalog, or try each over the network."""
    from entro_nb.streams import catalog_lines, check_streams

    if options.what == "check":
        return 0 if check_streams(options.names, options.seconds) else FAILED
    print(*catalog_lines(), sep="\n")
    return 0


def record(options: argparse.Namespace) -> int:
    """Record a live stream to a file that can be replayed."""
    from entro_nb.streams import find, record_to_file

    source = find(options.stream)
    if options.endpoint is not None:
        source = source.at(options.endpoint)
    record_to_file(source, options.seconds, options.out)
    return 0


def _page(app: Callable[[], Any]) -> Callable[[], Any]:
    """Make a fresh app for each visitor."""
    return lambda: app().panel()


if __name__ == "__main__":
    sys.exit(main())
