"""The command line: ``interim --help`` lists everything that it does."""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from interim import __version__
from interim.errors import InterimError

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; default those of the process.

    Returns
    -------
    int
        0 done, 1 something is wrong with parameters, data or report, 2 wrong usage, 130 interrupted.

    Raises
    ------
    SystemExit
        For ``--help``, ``--version`` and wrong usage (code 2).
    """
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    options = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except InterimError as error:
        if options.debug:
            traceback.print_exc()
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("interrupted; nothing was published", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="interim", description="Interim analysis of an early-phase cell-therapy trial."
    )
    parser.add_argument("--version", action="version", version=f"interim {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    run = commands.add_parser("run", help="build the report of a study")
    run.add_argument("study", type=Path, help="study file, for example params/example.toml")
    run.add_argument(
        "--notebooks",
        type=Path,
        default=Path("notebooks"),
        help="folder of the notebooks (default: notebooks)",
    )
    run.add_argument(
        "--reports", type=Path, default=Path("reports"), help="folder of all reports (default: reports)"
    )
    run.add_argument(
        "-p", "--parameter", action="append", default=[], metavar="NAME=VALUE", help="notebook parameter"
    )
    run.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    run.set_defaults(command=_run)

    check = commands.add_parser("check", help="check a study's parameters and data, or the notebooks")
    check.add_argument("what", help="study file, or the word notebooks")
    check.add_argument("--notebooks", type=Path, default=Path("notebooks"), help="folder of the notebooks")
    check.add_argument("--fix", action="store_true", help="strip outputs of the notebooks")
    check.set_defaults(command=_check)

    validate = commands.add_parser("validate", help="run reference packs through the installed code")
    validate.add_argument("directory", type=Path, help="folder of one area, or of areas")
    validate.add_argument("--json", action="store_true", help="print the report as JSON")
    validate.add_argument(
        "--workers", choices=("serial", "processes"), default="serial", help="where the packs run"
    )
    validate.set_defaults(command=_validate)

    example = commands.add_parser("example", help="write the raw data of the synthetic example study")
    example.add_argument("folder", type=Path, help="folder for the data, for example .interim/example/main13")
    example.add_argument("--preset", default="main13", help="main13 (default), tiny10 or full18")
    example.add_argument("--seed", type=int, default=None, help="seed; default: the generator's own")
    example.set_defaults(command=_example)
    return parser


def _run(options: argparse.Namespace) -> int:
    from interim.report.run import Plan, run

    quiet = options.json
    say = (lambda line: None) if quiet else _say
    plan = Plan(options.study, options.notebooks, options.reports, _named(options.parameter))
    built = run(plan, say=say)
    if quiet:
        print(json.dumps({"status": "built", "folder": str(built.folder), "findings": list(built.findings)}))
        return OK
    stops, warns, infos = built.findings
    _say(f"findings: {stops} stop, {warns} warn, {infos} info")
    for document in built.documents:
        _say(f"report: {document}")
    return OK


def _say(line: str) -> None:
    print(line, flush=True)


def _named(pairs: Sequence[str]) -> dict[str, str]:
    wrong = [pair for pair in pairs if "=" not in pair]
    if wrong:
        print(f"interim run: -p needs NAME=VALUE, found {wrong[0]!r}", file=sys.stderr)
        raise SystemExit(USAGE)
    return dict(pair.split("=", 1) for pair in pairs)


def _check(options: argparse.Namespace) -> int:
    if options.what == "notebooks":
        return _check_notebooks(options)
    from interim.adam import build_adam
    from interim.data import open_data
    from interim.study import read_study

    study = read_study(options.what)
    _say(f"{study.study.id}: parameters are valid ({study.digest()[:12]})")
    adam = build_adam(open_data(study), study)
    for finding in adam.findings:
        _say(str(finding))
    stops = sum(finding.severity == "stop" for finding in adam.findings)
    _say(f"{adam!r}")
    return FAILED if stops else OK


def _check_notebooks(options: argparse.Namespace) -> int:
    from interim.report.notebook import check_notebooks, notebooks, strip

    if options.fix:
        for path in notebooks(options.notebooks):
            if strip(path):
                _say(f"stripped {path}")
    problems = check_notebooks(options.notebooks)
    for problem in problems:
        _say(problem)
    return FAILED if problems else OK


def _validate(options: argparse.Namespace) -> int:
    from interim.report.validate import validate

    report = validate(options.directory, executor=options.workers)
    if options.json:
        print(json.dumps(report.as_json(), indent=1, ensure_ascii=False))
    else:
        for line in report.lines():
            _say(line)
    return OK if report.ok else FAILED


def _example(options: argparse.Namespace) -> int:
    from interim.example import write_study

    seed = {} if options.seed is None else {"seed": options.seed}
    files = write_study(options.folder, preset=options.preset, **seed)
    _say(f"{len(files)} files of synthetic data in {options.folder}")
    return OK


if __name__ == "__main__":
    sys.exit(main())
