from __future__ import annotations

import asyncio
import io
import sys

import nbformat
import pytest

from interim.errors import ReportError
from interim.report import engine as e
from interim.report.shell import Recorder, plain_json


def execute(*sources: str, tags: dict[int, str] | None = None, **options):
    """Run cells as papermill hands them to an engine; ``tags`` by place."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    book.metadata["papermill"] = {}
    for place, cell in enumerate(book.cells):
        cell.metadata.update(papermill={}, tags=[tags[place]] if place in (tags or {}) else [])
    options = {
        "output_path": None,
        "progress_bar": False,
        "log_output": False,
        "autosave_cell_every": 0,
    } | options
    return e.InterimEngine.execute_notebook(book, "python3", **options)


def outputs(*sources: str, **options):
    return [cell.outputs for cell in execute(*sources, **options).cells]


@pytest.mark.rule("ENG-01")
def test_streams_are_joined_and_copied():
    out, err = io.StringIO(), io.StringIO()
    found = outputs(
        "print(1)\nprint(2)\nimport sys\nsys.stderr.write('e');", stdout_file=out, stderr_file=err
    )
    assert [(o.name, o.text) for o in found[0]] == [("stdout", "1\n2\n"), ("stderr", "e")]
    assert (out.getvalue(), err.getvalue()) == ("1\n2\n", "e")


@pytest.mark.rule("ENG-01")
@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("x = (", "SyntaxError"),
        ("input('name?')", "StdinNotImplementedError"),
        ("exit()", "ReportError"),
        ("import sys; sys.stdout.write(3)", "TypeError"),
        ("raise SystemExit(0)", "SystemExit"),
        ("class A:\n    def _repr_html_(self):\n        return 1 / 0\nA()", "ZeroDivisionError"),
    ],
)
def test_the_first_error_ends_the_notebook(source, error):
    first, second = execute(source, "'never'").cells
    assert error in [output.ename for output in first.outputs if output.output_type == "error"]
    assert (second.execution_count, second.outputs) == (None, [])


@pytest.mark.rule("ENG-01")
def test_the_process_is_as_before():
    import builtins
    import getpass
    import os

    before = (sys.stdout, sys.stderr, sys.excepthook, list(sys.path), dict(os.environ), builtins.input)
    main, ask = sys.modules["__main__"], getpass.getpass
    execute("import os, sys\nos.environ['X_TEST'] = '1'\nsys.path.append('/x')\nsys.stdout = None")
    assert (
        sys.stdout,
        sys.stderr,
        sys.excepthook,
        list(sys.path),
        dict(os.environ),
        builtins.input,
    ) == before
    assert sys.modules["__main__"] is main
    assert getpass.getpass is ask
    assert not hasattr(builtins, "get_ipython")


@pytest.mark.rule("ENG-01")
def test_skipped_and_empty_cells_are_not_counted():
    done = execute("1", "  ", "2", "3", tags={2: "skip-execution"})
    assert [cell.execution_count for cell in done.cells] == [1, None, None, 2]


@pytest.mark.rule("ENG-01")
def test_tasks_left_behind_are_ended():
    found = outputs(
        "import asyncio\ntask = asyncio.ensure_future(asyncio.sleep(60))\nawait asyncio.sleep(0)\n'go on'"
    )
    assert found[0][0].data["text/plain"] == "'go on'"


def test_not_inside_an_event_loop_or_a_session():
    async def inside():
        return execute("1")

    with pytest.raises(ReportError, match="event loop"):
        asyncio.run(inside())
    from IPython.core.interactiveshell import InteractiveShell

    with pytest.MonkeyPatch.context() as patch, pytest.raises(ReportError, match="IPython session"):
        patch.setattr(InteractiveShell, "initialized", classmethod(lambda cls: True))
        execute("1")


def test_updates_and_clears():
    recorder = Recorder()
    recorder.start([])
    recorder.display({"text/plain": "a"}, {}, "one", update=False)
    recorder.display({"text/plain": "b"}, {}, "one", update=True)
    assert recorder.outputs[0].data == {"text/plain": "b"}
    recorder.display({"text/plain": "c"}, {}, "two", update=True)
    assert len(recorder.outputs) == 1
    recorder.clear(wait=True)
    assert len(recorder.outputs) == 1
    recorder.stream("stdout", "new")
    assert [output.output_type for output in recorder.outputs] == ["stream"]


def test_only_json_can_be_displayed():
    assert plain_json({"a": (1, b"x")}) == {"a": [1, "eA=="]}
    with pytest.raises(ValueError, match="JSON"):
        plain_json({"a": float("nan")})


def test_names_of_kernel_and_language():
    book = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "language": "python", "display_name": "P"}}
    )
    assert e.InterimEngine.nb_kernel_name(book) == "python3"
    assert e.InterimEngine.nb_kernel_name(book, "other") == "other"
    assert e.InterimEngine.nb_language(book) == "python"
    with pytest.raises(ValueError, match="kernel"):
        e.InterimEngine.nb_kernel_name(nbformat.v4.new_notebook(metadata={}))


@pytest.mark.rule("RUN-02")
def test_what_differs_from_run_to_run_is_removed(tmp_path):
    path = tmp_path / "a.ipynb"
    cell = nbformat.v4.new_code_cell("1", metadata={"tags": ["injected-parameters"], "execution": {"x": "1"}})
    cell.metadata["papermill"] = {"duration": 1.5, "start_time": "now", "status": "completed"}
    book = nbformat.v4.new_notebook(
        cells=[cell], metadata={"papermill": {"input_path": "/x", "version": "1"}}
    )
    nbformat.write(book, path)
    e.strip_volatile(path)
    after = nbformat.read(path, as_version=4)
    assert after.cells[0].id == "injected-parameters"
    assert after.cells[0].metadata == {"tags": ["injected-parameters"], "papermill": {"status": "completed"}}
    assert after.metadata.papermill == {"version": "1"}
    first = path.read_bytes()
    e.strip_volatile(path)
    assert path.read_bytes() == first
    path.write_text("[]")
    with pytest.raises(ReportError, match="not an executed notebook"):
        e.strip_volatile(path)


@pytest.mark.rule("PRV-44")
def test_an_executed_notebook_states_the_study_file_without_folders_of_the_computer(tmp_path):
    path = tmp_path / "a.ipynb"
    source = '# Parameters\nstudy = "/home/li/trial/my study.toml"\nlanguage = "en"\n'
    cell = nbformat.v4.new_code_cell(source, metadata={"tags": ["injected-parameters"]})
    other = nbformat.v4.new_code_cell('study = "/home/li/trial/my study.toml"')
    parameters = {"study": "/home/li/trial/my study.toml", "language": "en"}
    book = nbformat.v4.new_notebook(cells=[cell, other], metadata={"papermill": {"parameters": parameters}})
    nbformat.write(book, path)
    e.strip_volatile(path, {"study": '试验 "1".toml'})
    after = nbformat.read(path, as_version=4)
    assert after.metadata.papermill.parameters == {"study": '试验 "1".toml', "language": "en"}
    stated = {}
    exec(after.cells[0].source, stated)
    assert (stated["study"], stated["language"]) == ('试验 "1".toml', "en")
    assert after.cells[1].source == other.source
