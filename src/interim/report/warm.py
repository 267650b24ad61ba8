"""What later processes of a build need, imported while the data are read, so that forked ones have it in memory."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from pathlib import Path

from interim.display.language import LANGUAGES, translator
from interim.errors import ReportError
from interim.report.freshness import installed
from interim.report.pdf_set import compiler
from interim.report.registry import questions

_MODULES = (
    "IPython.core.interactiveshell",
    "matplotlib.pyplot",
    "matplotlib_inline.backend_inline",
    "papermill",
    "interim.display",
    "interim.report.shell",
    "interim.report.document",
    "interim.report.editions",
    "interim.report.lint.gate",
    "interim.report.memo",
    "interim.report.privacy.scan",
    "interim.report.word",
)
_EMPTY = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def warm(folder: Path) -> None:
    """Import once what questions, notebooks and documents need, and read the files and fonts that every report needs.

    Parameters
    ----------
    folder : Path
        Where the study file stands, with texts of its own in other languages.

    Returns
    -------
    None

    Raises
    ------
    ImportError
        If a module of a question does not exist.
    ReportError
        If a shipped typeface is not there.
    """
    import matplotlib
    import nbformat

    matplotlib.use("Agg")
    rooms = dict.fromkeys(f"interim.analysis.{name.partition('.')[0]}" for name in questions())
    for module in (*rooms, *_MODULES):
        import_module(module)
    nbformat.validate(_EMPTY)  # the first check makes the program that checks all notebooks
    installed()
    compiler()
    with suppress(ReportError):  # a wrong text is told where it is needed
        for language in LANGUAGES:
            translator(language, folder)
