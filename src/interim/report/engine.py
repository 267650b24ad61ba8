"""The papermill engine ``interim``: light at import, because papermill loads every registered engine."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interim.errors import ReportError

if TYPE_CHECKING:
    from nbformat import NotebookNode


class InterimEngine:
    """Runs a notebook inside the process; registered with papermill as the engine ``interim``.

    Delegates on call, so that neither papermill nor IPython nor pandas is imported with this module. State of the
    process (rcParams, options of libraries) is inherited by the notebook: run one notebook per process.
    """

    @classmethod
    def execute_notebook(cls, nb: NotebookNode, kernel_name: str, **options: Any) -> NotebookNode:
        """Execute all cells of a notebook, up to the first error.

        Parameters
        ----------
        nb : NotebookNode
            The notebook, parameters injected.
        kernel_name : str
            Name of the kernel; only recorded.
        **options : object
            What papermill hands to an engine: output_path, progress_bar, log_output, stdout_file, stderr_file, ...

        Returns
        -------
        NotebookNode
            The notebook with outputs; a failed cell carries its error output.

        Raises
        ------
        ReportError
            If the process already runs an IPython session or an event loop.
        """
        from interim.report.shell import ShellEngine

        executed: NotebookNode = ShellEngine.execute_notebook(nb, kernel_name, **options)
        return executed

    @classmethod
    def nb_kernel_name(cls, nb: NotebookNode, name: str | None = None) -> str:
        """Return the kernel name of a notebook.

        Parameters
        ----------
        nb : NotebookNode
            The notebook.
        name : str or None
            A name that overrides the one in the metadata.

        Returns
        -------
        str
            The kernel name.

        Raises
        ------
        ValueError
            If there is no name.
        """
        from papermill.utils import nb_kernel_name

        return str(nb_kernel_name(nb, name))

    @classmethod
    def nb_language(cls, nb: NotebookNode, language: str | None = None) -> str:
        """Return the language of a notebook.

        Parameters
        ----------
        nb : NotebookNode
            The notebook.
        language : str or None
            A language that overrides the one in the metadata.

        Returns
        -------
        str
            The language.

        Raises
        ------
        ValueError
            If there is no language.
        """
        from papermill.utils import nb_language

        return str(nb_language(nb, language))


_RUN_DEPENDENT = ("start_time", "end_time", "duration", "input_path", "output_path", "environment_variables")
_FIXED_IDS = {"injected-parameters": "injected-parameters", "papermill-error-cell-tag": "papermill-error"}


def strip_volatile(path: Path, shown: Mapping[str, str] | None = None) -> None:
    """Rewrite an executed notebook without what differs from run to run, so that equal runs give equal bytes.

    Removed are times, durations and paths of papermill and of kernels; cells that papermill adds get fixed ids. Keys
    are sorted, the text is UTF-8 with indent 1.

    Parameters
    ----------
    path : Path
        The executed notebook; replaced when the new text is complete.
    shown : mapping of str to str, optional
        Parameters that the copy states in other words than those with which it ran: the study file without the folders
        of this computer.

    Returns
    -------
    None

    Raises
    ------
    ReportError
        If the file is no notebook.
    OSError
        If the file cannot be read or replaced.
    """
    text = path.read_text(encoding="utf-8")
    try:
        book = json.loads(text)
        cells = list(book["cells"])
        holders = [book["metadata"], *(cell["metadata"] for cell in cells)]
    except (ValueError, LookupError, TypeError) as error:
        raise ReportError(f"{path.name}: not an executed notebook ({type(error).__name__})") from error
    for metadata in holders:
        metadata.pop("execution", None)
        for name in _RUN_DEPENDENT:
            metadata.get("papermill", {}).pop(name, None)
    for cell, name in _added_cells(cells):
        cell["id"] = name
    _state(book["metadata"], cells, shown or {})
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(book, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _state(metadata: dict[str, Any], cells: list[dict[str, Any]], shown: Mapping[str, str]) -> None:
    """State parameters in other words, in the cell that papermill adds and in its record of them."""
    recorded = metadata.get("papermill", {}).get("parameters", {})
    recorded.update({name: shown[name] for name in shown.keys() & recorded.keys()})
    for cell in (cell for cell in cells if "injected-parameters" in cell["metadata"].get("tags", [])):
        source = cell["source"]
        lines = (source if isinstance(source, str) else "".join(source)).splitlines(keepends=True)
        stated = {f"{name} = ": json.dumps(value, ensure_ascii=False) for name, value in shown.items()}
        cell["source"] = [_stated(line, stated) for line in lines]


def _stated(line: str, stated: Mapping[str, str]) -> str:
    """Return a line of the injected cell, with the value in other words if it assigns one of those."""
    end = line[len(line.rstrip("\n")) :]
    return next((f"{head}{value}{end}" for head, value in stated.items() if line.startswith(head)), line)


def _added_cells(cells: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the cells that papermill added, each with its fixed id."""
    seen: dict[str, int] = {}
    for cell in cells:
        for tag in cell["metadata"].get("tags", []):
            if tag in _FIXED_IDS:
                seen[tag] = seen.get(tag, 0) + 1
                yield cell, _FIXED_IDS[tag] + (f"-{seen[tag]}" if seen[tag] > 1 else "")
