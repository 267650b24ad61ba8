"""Notebooks of the repository: which there are, what parameters they declare, and whether they keep the house rules."""

from __future__ import annotations

import ast
import builtins
import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from interim.display.prose import without_allowed
from interim.errors import ReportError

PARAMETERS_TAG = "parameters"
_ID = re.compile(r"^[a-z0-9][a-z0-9-]{0,63}$")
_FORBIDDEN = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.Lambda,
)
_PANDAS = {"pandas", "numpy", "pd", "np"}
_ITEM = re.compile(r"^\s*\d+\.\s", re.M)
_TYPES = {"str": str, "int": int, "float": float, "bool": bool}


@dataclass(frozen=True)
class Parameter:
    """One declared parameter of a notebook.

    Attributes
    ----------
    name : str
        Name.
    type : str
        str, int, float or bool.
    default : object
        Literal default.
    """

    name: str
    type: str
    default: Any


def notebooks(folder: str | Path) -> tuple[Path, ...]:
    """Return the notebooks of a folder in running order.

    Parameters
    ----------
    folder : str or Path
        Folder of ``NN_topic.ipynb``.

    Returns
    -------
    tuple of Path
        Sorted by name.

    Raises
    ------
    ReportError
        If there is none.
    """
    found = tuple(sorted(Path(folder).glob("[0-9][0-9]_*.ipynb")))
    if not found:
        raise ReportError(f"{folder}: no notebook named NN_topic.ipynb; name their folder with --notebooks")
    return found


def read_notebook(path: Path) -> dict[str, Any]:
    """Return a notebook as plain JSON values.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict
        With key ``cells``.

    Raises
    ------
    ReportError
        If the file is no notebook of format 4.5 or later.
    """
    try:
        book: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        version = (int(book["nbformat"]), int(book["nbformat_minor"]))
        whole = isinstance(book["metadata"], dict) and all(map(_is_cell, book["cells"])) and book["cells"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ReportError(f"{path.name}: not a readable notebook ({type(error).__name__})") from error
    if not whole:
        raise ReportError(f"{path.name}: not a readable notebook (cells need cell_type, metadata and source)")
    if version < (4, 5):
        raise ReportError(f"{path.name}: notebook format {version[0]}.{version[1]}; 4.5 is needed (cell ids)")
    return book


def _is_cell(cell: Any) -> bool:
    if not isinstance(cell, dict) or not isinstance(cell.get("metadata"), dict):
        return False
    source = cell.get("source")
    lines = source if isinstance(source, list) else [source]
    return isinstance(cell.get("cell_type"), str) and all(isinstance(line, str) for line in lines)


def parameters(path: Path) -> tuple[Parameter, ...]:
    """Return the parameters that a notebook declares.

    Parameters
    ----------
    path : Path
        The notebook.

    Returns
    -------
    tuple of Parameter
        In the order of the parameters cell.

    Raises
    ------
    ReportError
        If there is not exactly one parameters cell, or a line of it is no annotated literal assignment.
    """
    cells = [c for c in read_notebook(path)["cells"] if PARAMETERS_TAG in (c["metadata"].get("tags") or ())]
    if len(cells) != 1:
        raise ReportError(
            f"{path.name}: needs exactly one cell tagged {PARAMETERS_TAG!r}, found {len(cells)}"
        )
    try:
        return tuple(_declared(node) for node in ast.parse(_source(cells[0])).body)
    except (SyntaxError, ValueError) as error:
        raise ReportError(f"{path.name}, cell {cells[0].get('id')}: {error}") from error


def _declared(node: ast.stmt) -> Parameter:
    plain = isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None
    if not plain:
        raise ValueError(
            f"line {node.lineno}: expected an annotated literal such as  study: str = 'params/example.toml'"
        )
    assert isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None
    kind = ast.unparse(node.annotation)
    value = ast.literal_eval(node.value)
    if kind not in _TYPES or type(value) is not _TYPES[kind]:
        raise ValueError(
            f"line {node.lineno}: {node.target.id} is declared {kind} but its default is {value!r}"
        )
    return Parameter(node.target.id, kind, value)


def check_parameters(
    books: tuple[Path, ...],
    given: Mapping[str, object],
    *,
    permitted: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> None:
    """Refuse parameters that a notebook does not declare, or declares with another type, or that are not available.

    Parameters
    ----------
    books : tuple of Path
        The notebooks that will run.
    given : mapping of str to object
        Name -> value.
    permitted : mapping of str to sequence of str
        Permitted values of parameters that have a choice.

    Returns
    -------
    None

    Raises
    ------
    ReportError
        All problems of all notebooks at once; an unknown name with the nearest declared one.
    """
    problems = [line for book in books for line in _parameter_problems(book, given)]
    for name, values in permitted.items():
        if name in given and given[name] not in values:
            problems.append(
                f"parameter {name} = {given[name]!r} is not available; permitted: {', '.join(values)}"
            )
    if problems:
        raise ReportError("\n".join(["no notebook was run:", *problems]))


def _parameter_problems(book: Path, given: Mapping[str, object]) -> Iterator[str]:
    try:
        declared = {parameter.name: parameter for parameter in parameters(book)}
    except ReportError as error:
        yield str(error)
        return
    for name, value in given.items():
        if name not in declared:
            near = difflib.get_close_matches(name, declared, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; declared: {', '.join(declared)}"
            yield f"{book.name}: unknown parameter {name!r}{hint}"
        elif type(value) is not _TYPES[declared[name].type]:
            yield f"{book.name}: parameter {name} must be {declared[name].type}, found {value!r}"


def check_notebooks(folder: str | Path) -> list[str]:
    """Return everything in which the notebooks of a folder break the house rules.

    Parameters
    ----------
    folder : str or Path
        Folder of notebooks; those of its folder ``adhoc`` keep the same rules.

    Returns
    -------
    list of str
        One line per violation: notebook, cell, what is wrong.

    Raises
    ------
    ReportError
        If there is no notebook, or one cannot be read.
    """
    return [line for path in (*notebooks(folder), *adhoc_notebooks(folder)) for line in _violations(path)]


def is_thin(path: Path) -> bool:
    """Tell whether a notebook keeps the rules, so that it reads nothing but its chapter.

    Parameters
    ----------
    path : Path
        The notebook.

    Returns
    -------
    bool
        True if `check_notebooks` would find nothing in it, and no cell could open a file.

    Raises
    ------
    ReportError
        If it cannot be read.
    """
    trees = [ast.parse(_source(cell)) for cell in read_notebook(path)["cells"] if cell["cell_type"] == "code"]
    own = all(_is_own(node) for tree in trees for node in ast.walk(tree))
    return own and not any(True for _ in _violations(path))


def _is_own(node: ast.AST) -> bool:
    """Tell whether a piece of code can reach nothing but the chapter: no import but of `interim`, no builtin function."""
    if isinstance(node, ast.ImportFrom):
        return node.module == "interim" and {name.name for name in node.names} <= {"open_chapter"}
    if isinstance(node, ast.Attribute):
        return not node.attr.startswith("_")
    return not isinstance(node, ast.Import) and not (
        isinstance(node, ast.Name)
        and node.id not in ("str", "int", "float", "bool")
        and hasattr(builtins, node.id)
    )


def adhoc_notebooks(folder: str | Path) -> tuple[Path, ...]:
    """Return the notebooks for ad-hoc work, which are no chapter of the report.

    Parameters
    ----------
    folder : str or Path
        Folder of notebooks.

    Returns
    -------
    tuple of Path
        ``adhoc/NN_topic.ipynb``, sorted by name; none is no error.

    Raises
    ------
    None
    """
    return tuple(sorted(Path(folder).glob("adhoc/[0-9][0-9]_*.ipynb")))


def _violations(path: Path) -> Iterator[str]:
    book = read_notebook(path)
    seen: set[str] = set()
    try:
        parameters(path)
    except ReportError as error:
        yield str(error)
    for cell in book["cells"]:
        name = cell["id"] if isinstance(cell.get("id"), str) else ""
        where = f"{path.name}, cell {name or '?'}"
        if not _ID.match(name) or name in seen:
            yield f"{where}: needs a readable id of its own"
        seen.add(name)
        if cell["cell_type"] == "code":
            yield from (f"{where}: {what}" for what in _code_violations(cell))
        elif cell["cell_type"] == "markdown":
            yield from (f"{where}: {what}" for what in typed_numbers(_source(cell)))


def _code_violations(cell: Mapping[str, Any]) -> Iterator[str]:
    if cell.get("outputs") or cell.get("execution_count") is not None:
        yield "is not stripped of outputs"
    source = _source(cell)
    if any(line.lstrip().startswith(("!", "%")) for line in source.splitlines()):
        yield "holds a shell or magic command"
        return
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        yield f"is no Python: {error.msg}, line {error.lineno}"
        return
    except ValueError as error:  # a zero byte, before Python 3.11.4
        yield f"is no Python: {error}"
        return
    for node in ast.walk(tree):
        yield from (f"imports {name}; data work belongs to the package" for name in _imported(node) & _PANDAS)
        if isinstance(node, _FORBIDDEN):
            yield f"holds logic ({type(node).__name__}); logic belongs to the package"
        if isinstance(node, ast.Name) and node.id in _PANDAS:
            yield f"uses {node.id}; data work belongs to the package"


def _imported(node: ast.AST) -> set[str]:
    """Return the top packages that a statement imports, whatever name they get."""
    if isinstance(node, ast.Import):
        return {name.name.partition(".")[0] for name in node.names}
    return {(node.module or "").partition(".")[0]} if isinstance(node, ast.ImportFrom) else set()


def typed_numbers(text: str) -> Iterator[str]:
    """Yield the numbers that are typed into prose instead of being references to results.

    Parameters
    ----------
    text : str
        Markdown text.

    Yields
    ------
    str
        One sentence per number; ids of tables, guidelines and registrations are permitted.

    Raises
    ------
    None
    """
    for match in re.finditer(r"\S*\d\S*", without_allowed(_ITEM.sub("", text))):
        yield f"typed number {match[0]!r} in prose; take it from a result"


def strip(path: Path) -> bool:
    """Remove outputs, counters and volatile metadata of a notebook in the repository.

    Parameters
    ----------
    path : Path
        The notebook; rewritten in place if it changes.

    Returns
    -------
    bool
        True if the file changed.

    Raises
    ------
    ReportError
        If the file is no notebook.
    """
    book = read_notebook(path)
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
        tags = cell["metadata"].get("tags")
        cell["metadata"] = {"tags": tags} if tags else {}
    kept = {
        key: book["metadata"][key]
        for key in ("kernelspec", "language_info", "interim")
        if key in book["metadata"]
    }
    book["metadata"] = kept
    text = json.dumps(book, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    changed = text != path.read_text(encoding="utf-8")
    if changed:
        path.write_text(text, encoding="utf-8")
    return changed


def _source(cell: Mapping[str, Any]) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)
