"""The budgets of the house: function and file length, arguments, docstrings, names (complexity is checked by ruff)."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

SOURCE = Path(__file__).resolve().parents[1] / "src" / "interim"
MAX_FUNCTION, MAX_FUNCTION_P90, MAX_FILE, MAX_ARGUMENTS, MAX_NAMES = 60, 25, 400, 7, 30
MIN_TESTS = 1
JUNK = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Measured:
    """One function with its place and its number of code lines."""

    file: str
    node: Function
    lines: int
    public: bool


def code_lines(text: str, node: ast.AST | None = None) -> set[int]:
    """Return the numbers of the lines that are neither blank, comment nor docstring."""
    tree = ast.parse(text) if node is None else node
    rows = text.splitlines()
    first, last = (1, len(rows)) if node is None else (node.lineno, node.end_lineno)  # type: ignore[attr-defined]
    doc: set[int] = set()
    for item in ast.walk(tree):
        if (
            isinstance(item, (ast.Module, ast.ClassDef, *Function.__args__))
            and ast.get_docstring(item) is not None
        ):  # type: ignore[attr-defined]
            doc.update(range(item.body[0].lineno, item.body[0].end_lineno + 1))  # type: ignore[operator]
    return {
        n
        for n in range(first, last + 1)
        if n not in doc and rows[n - 1].strip() and not rows[n - 1].lstrip().startswith("#")
    }


def functions(file: Path) -> Iterator[Measured]:
    """Yield every function and method of a file."""
    text = file.read_text(encoding="utf-8")
    tree = ast.parse(text)

    def walk(node: ast.AST, public: bool) -> Iterator[Measured]:
        for item in ast.iter_child_nodes(node):
            if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)):
                if is_overload(item):
                    continue
                shown = public and not item.name.startswith("_")
                yield Measured(file.relative_to(SOURCE).as_posix(), item, len(code_lines(text, item)), shown)
                yield from walk(item, False)
            elif isinstance(item, ast.ClassDef):
                yield from walk(item, public and not item.name.startswith("_"))
            elif isinstance(item, (ast.If, ast.Try, ast.With)):
                yield from walk(item, public)

    yield from walk(tree, not file.stem.startswith("_") or file.stem == "__init__")


def is_overload(node: Function) -> bool:
    """Tell whether a function is only a further signature of the one that follows it."""
    return any(isinstance(d, ast.Name) and d.id == "overload" for d in node.decorator_list)


def is_property(node: Function) -> bool:
    """Tell whether a function is a property, which needs one line only."""
    return any(
        isinstance(d, ast.Name) and d.id in ("property", "cached_property") for d in node.decorator_list
    )


def docstring_problems(item: Measured) -> Iterator[str]:
    """Yield the sections that a public function's docstring lacks."""
    if not item.public:
        return
    node, text = item.node, ast.get_docstring(item.node) or ""
    if not text:
        yield "has no docstring"
        return
    if is_property(node):
        return
    arguments = [
        a.arg
        for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
        if a.arg not in ("self", "cls")
    ]
    wanted = ["Raises", *(["Parameters"] if arguments else [])]
    silent = isinstance(node.returns, ast.Constant) and node.returns.value is None
    answers = any(part in text for part in ("Returns\n---", "Yields\n---"))
    if not silent and not answers:
        yield "docstring lacks Returns or Yields"
    yield from (f"docstring lacks {name}" for name in wanted if f"{name}\n---" not in text)
    if "Parameters" in wanted and "Parameters\n---" in text:
        yield from (f"docstring does not name {name}" for name in arguments if name not in text)


def function_problems(item: Measured) -> Iterator[str]:
    """Yield what breaks a budget in one function."""
    arguments = item.node.args
    count = len(arguments.posonlyargs) + len(arguments.args) + len(arguments.kwonlyargs)
    named = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
    count -= named[:1] in (["self"], ["cls"])
    positional = len(named) - (named[:1] in (["self"], ["cls"]))
    if item.lines > MAX_FUNCTION:
        yield f"has {item.lines} code lines, at most {MAX_FUNCTION}"
    if count > MAX_ARGUMENTS:
        yield f"has {count} arguments, at most {MAX_ARGUMENTS}"
    if item.public and positional > 3:
        yield f"has {positional} positional arguments; make them keyword-only after the second (third where a study goes along)"
    yield from docstring_problems(item)


def file_problems(file: Path) -> Iterator[str]:
    """Yield what breaks a budget in one file."""
    name = file.relative_to(SOURCE).as_posix()
    text = file.read_text(encoding="utf-8")
    size = len(code_lines(text))
    if size > MAX_FILE:
        yield f"{name}: {size} code lines, at most {MAX_FILE}"
    if {part.removesuffix(".py") for part in Path(name).parts} & JUNK:
        yield f"{name}: a junk drawer's name"


def main() -> int:
    """Print every broken budget and the figures of the house; return 1 if any is broken."""
    files = sorted(SOURCE.rglob("*.py"))
    measured = [item for file in files for item in functions(file)]
    problems = [line for file in files for line in file_problems(file)]
    problems += [
        f"{m.file}:{m.node.lineno} {m.node.name}: {line}" for m in measured for line in function_problems(m)
    ]
    sizes = sorted(m.lines for m in measured)
    p90 = sizes[int(0.9 * (len(sizes) - 1))]
    if p90 > MAX_FUNCTION_P90:
        problems.append(f"p90 of function length is {p90}, at most {MAX_FUNCTION_P90}")
    names = ast.literal_eval(
        next(
            n.value
            for n in ast.parse((SOURCE / "__init__.py").read_text()).body
            if isinstance(n, ast.Assign) and getattr(n.targets[0], "id", "") == "__all__"
        )
    )
    if len(names) > MAX_NAMES:
        problems.append(f"interim.__init__ has {len(names)} names, at most {MAX_NAMES}")
    source = sum(len(code_lines(f.read_text(encoding="utf-8"))) for f in files)
    tests = sum(
        len(code_lines(f.read_text(encoding="utf-8"))) for f in (SOURCE.parents[1] / "tests").rglob("*.py")
    )
    if tests < MIN_TESTS * source:
        problems.append(f"tests : code is {tests}:{source}, at least {MIN_TESTS:g}")
    print("\n".join(problems))
    print(
        f"{len(files)} files, {len(sizes)} functions: median {median(sizes):.0f}, p90 {p90}, max {sizes[-1]} code lines; tests : code {tests}:{source}"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
