"""Document 09: hashes of inputs, parameters, programs and documents (T 14.6.7), and the independent re-computation (T 14.6.8)."""

from __future__ import annotations

import json
import os
import platform
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import interim
from interim.errors import ReportError
from interim.report.content import Paragraph, Span, Table, text_table
from interim.report.document import Heading, Loose
from interim.report.freshness import lock_hash
from interim.report.hashes import joined, snapshot_hash, tree
from interim.report.package import Made
from interim.report.shells import shells

VARIABLE = "INTERIM_VALIDATION"
_FIELDS = (
    "file",
    "cases",
    "compared",
    "agree",
    "worst_rel_error",
    "tolerance",
    "tolerances",
    "disagreements",
)


@cache
def _texts() -> dict[str, Any]:
    source = files("interim.report.documents").joinpath("reproducibility.toml")
    return tomllib.loads(source.read_text(encoding="utf-8"))


def manifest(made: Made) -> Iterator[Loose]:
    """Yield the content of document 09.

    Parameters
    ----------
    made : Made
        What is at hand, the hashes of the documents of earlier steps among it.

    Yields
    ------
    Heading, Paragraph or Table
        In reading order.

    Raises
    ------
    ReportError
        If the recorded validation that the environment names cannot be read.
    """
    texts = _texts()
    yield Heading(1, texts["heading"])
    yield Paragraph((Span(texts["introduction"]),))
    yield artefacts(made)
    yield Heading(1, texts["validation_heading"])
    yield Paragraph((Span(texts["validation_introduction"]),))
    recorded = os.environ.get(VARIABLE)
    yield recomputation(read_validation(Path(recorded)) if recorded else None)


def artefacts(made: Made) -> Table:
    """Return T 14.6.7: a row per artefact.

    Parameters
    ----------
    made : Made
        What is at hand.

    Returns
    -------
    Table
        Kind, name, hash or value; no clock.

    Raises
    ------
    OSError
        If the lock file cannot be read.
    """
    texts, inputs = _texts(), made.inputs
    kinds, sources = texts["kinds"], inputs.sdtm.sources
    rows = [
        (kinds["snapshot"], "", snapshot_hash(sources)),
        *((kinds["input"], source.name, source.sha256) for source in sources),
        (kinds["parameters"], inputs.study.study.id, inputs.study.digest()),
        (
            kinds["programs"],
            f"interim {interim.__version__}",
            joined(tree(Path(interim.__file__).parent).items()),
        ),
        (kinds["lock"], "", lock_hash()),
        (kinds["platform"], f"{sys.platform}-{platform.machine()}", platform.python_version()),
        (kinds["seed"], "study.seed", str(inputs.study.study.seed)),
        *(
            (kinds["document"], path.rpartition("/")[2], digest)
            for path, digest in sorted(made.outputs.items())
        ),
    ]
    return text_table(
        "T 14.6.7",
        shells()["T 14.6.7"].title,
        head=texts["manifest_head"],
        rows=rows,
        widths=(1.6, 4, 6),
        footnotes=(texts["excluded"],),
    )


def read_validation(path: Path) -> Mapping[str, Any]:
    """Return what ``interim validate FOLDER --json`` printed.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    mapping
        Keys files and not_covered.

    Raises
    ------
    ReportError
        If it cannot be read or is no such output.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        whole = all(name in one for one in found["files"] for name in _FIELDS)
        if not whole or not isinstance(found["not_covered"], list):
            raise ValueError("fields are missing")
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ReportError(
            f"{path}: no output of interim validate FOLDER --json ({type(error).__name__}: {error}); "
            f"make it again, or unset {VARIABLE}"
        ) from error
    return dict(found)


def recomputation(recorded: Mapping[str, Any] | None) -> Table:
    """Return T 14.6.8: a row per statistic set.

    Parameters
    ----------
    recorded : mapping or None
        What `read_validation` returned; None says that nothing was recorded.

    Returns
    -------
    Table
        With the number compared, the largest difference, the tolerance and the verdict.

    Raises
    ------
    None
    """
    texts = _texts()
    head: Sequence[str] = texts["validation_head"]
    rows: list[tuple[str, ...]] = [(texts["not_run"], *["–"] * (len(head) - 1))]
    notes: tuple[str, ...] = ()
    if recorded is not None:
        rows = [_set(one) for one in recorded["files"]]
        rows.append(_total(recorded["files"]))
        lost = ", ".join(recorded["not_covered"])
        notes = (texts["own"], *((f"{texts['uncovered']} {lost}.",) if lost else ()))
    return text_table(
        "T 14.6.8",
        shells()["T 14.6.8"].title,
        head=head,
        rows=rows,
        widths=(4, 1, 1.3, 1.3, 1.6, 1.3, 1.1),
        footnotes=notes,
    )


def _set(one: Mapping[str, Any]) -> tuple[str, ...]:
    texts = _texts()
    mark = "*" if one["tolerances"] else ""
    return (
        str(one["file"]),
        str(one["cases"]),
        str(one["compared"]),
        str(one["agree"]),
        f"{one['worst_rel_error']:.1e}",
        f"{one['tolerance']:.0e}{mark}",
        texts["failed"] if one["disagreements"] or one["agree"] != one["compared"] else texts["passed"],
    )


def _total(sets: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    texts = _texts()
    sums = [sum(one[name] for one in sets) for name in ("cases", "compared", "agree")]
    worst = max((one["worst_rel_error"] for one in sets), default=0.0)
    good = all(_set(one)[-1] == texts["passed"] for one in sets)
    return (
        texts["total"],
        *map(str, sums),
        f"{worst:.1e}",
        "–",
        texts["passed"] if good else texts["failed"],
    )
