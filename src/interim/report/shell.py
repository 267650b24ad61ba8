"""Runs the cells of a notebook in an IPython shell inside the process and records what a kernel would have sent."""

# IPython, nbformat and matplotlib_inline are only partly typed.
# mypy: disallow-untyped-calls=false

from __future__ import annotations

import asyncio
import atexit
import builtins
import getpass
import io
import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import StdinNotImplementedError
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.jsonutil import json_default
from nbformat.v4 import new_output
from papermill.engines import Engine
from traitlets.config import Config

from interim.errors import ReportError

if TYPE_CHECKING:
    from nbformat import NotebookNode

INLINE = "module://matplotlib_inline.backend_inline"


class Recorder:
    """Collects the outputs of the running cell in notebook form.

    Attributes
    ----------
    outputs : list of NotebookNode
        Outputs of the running cell; replaced for each cell.
    copies : dict of str to writable
        Where stream text is also written (papermill's ``stdout_file``, ``stderr_file``), by stream name.
    """

    def __init__(self, copies: dict[str, IO[str]] | None = None) -> None:
        self.outputs: list[NotebookNode] = []
        self.copies = copies or {}
        self._displays: dict[str, list[NotebookNode]] = {}
        self._clear_next = False

    def start(self, outputs: list[NotebookNode]) -> None:
        """Record into another list from now on.

        Parameters
        ----------
        outputs : list of NotebookNode
            Outputs of the cell that starts.

        Raises
        ------
        None
        """
        self.outputs = outputs
        self._clear_next = False

    def add(self, kind: str, **content: Any) -> NotebookNode:
        """Append one output.

        Parameters
        ----------
        kind : str
            display_data, execute_result, stream or error.
        **content : object
            Fields of the output.

        Returns
        -------
        NotebookNode
            The output.

        Raises
        ------
        None
        """
        if self._clear_next:
            self.clear(wait=False)
        output: NotebookNode = new_output(kind, **content)
        self.outputs.append(output)
        return output

    def stream(self, name: str, text: str) -> None:
        """Append text to a stream; text that follows text of the same stream is joined to it.

        Parameters
        ----------
        name : {"stdout", "stderr"}
            Stream.
        text : str
            What was written.

        Raises
        ------
        None
        """
        last = self.outputs[-1] if self.outputs and not self._clear_next else None
        if last is not None and last.output_type == "stream" and last.name == name:
            last.text += text
        else:
            self.add("stream", name=name, text=text)
        if name in self.copies:
            self.copies[name].write(text)
            self.copies[name].flush()

    def display(
        self, data: dict[str, Any], metadata: dict[str, Any], display_id: str | None, *, update: bool
    ) -> None:
        """Append or update a rich display.

        Parameters
        ----------
        data, metadata : dict
            Mime bundle and its metadata.
        display_id : str or None
            Handle by which the display can be updated later.
        update : bool
            True: only change the displays with this handle.

        Raises
        ------
        None
        """
        data, metadata = plain_json(data), plain_json(metadata)
        shown = self._displays.setdefault(display_id, []) if display_id else []
        for output in shown:
            output.update(data=data, metadata=metadata)
        if not update:
            shown.append(self.add("display_data", data=data, metadata=metadata))

    def clear(self, *, wait: bool) -> None:
        """Drop the outputs of the running cell.

        Parameters
        ----------
        wait : bool
            True: at the next output instead of now.

        Raises
        ------
        None
        """
        self._clear_next = wait
        if not wait:
            self.outputs.clear()


def plain_json(value: Any) -> Any:
    """Return a value as it looks after a journey through JSON, which a kernel's messages make.

    Parameters
    ----------
    value : object
        Mime bundle or metadata; bytes become base64 text, tuples lists.

    Returns
    -------
    object
        Only dict, list, str, int, float, bool and None.

    Raises
    ------
    TypeError
        If something cannot be written as JSON.
    ValueError
        If a number is not finite.

    Examples
    --------
    >>> plain_json({"a": (1, b"x")})
    {'a': [1, 'eA==']}
    """
    return json.loads(json.dumps(value, default=json_default, allow_nan=False))


class _Stream(io.TextIOBase):
    """Standard output or error of the cells."""

    def __init__(self, name: str, recorder: Recorder) -> None:
        super().__init__()
        self._stream = name
        self._recorder = recorder

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Encoding that a kernel announces."""
        return "UTF-8"

    def writable(self) -> bool:
        """Tell that text can be written."""
        return True

    def write(self, text: str) -> int:
        """Record text."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        if text:
            self._recorder.stream(self._stream, text)
        return len(text)


class _Hook(DisplayHook):
    """Records the value of the last expression of a cell."""

    recorder: Recorder
    _bundle: tuple[dict[str, Any], dict[str, Any]] | None = None

    def write_output_prompt(self) -> None:
        """Write nothing: the number stands in the output."""

    def write_format_data(self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:
        """Keep the representations until all are made."""
        self._bundle = (format_dict, md_dict or {})

    def finish_displayhook(self) -> None:
        """Record the result, if it has a representation."""
        if self._bundle is not None:
            data, metadata = map(plain_json, self._bundle)
            self.recorder.add(
                "execute_result", data=data, metadata=metadata, execution_count=self.prompt_count
            )
        self._bundle = None
        self._is_active = False


class _Publisher(DisplayPublisher):
    """Records what a cell displays."""

    recorder: Recorder

    def publish(  # type: ignore[override]
        self,
        data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        *,
        transient: dict[str, Any] | None = None,
        update: bool = False,
        **_: Any,
    ) -> None:
        """Record one display."""
        self._validate_data(data, metadata)
        self.recorder.display(data, metadata or {}, (transient or {}).get("display_id"), update=update)

    def clear_output(self, wait: bool = False) -> None:
        """Drop the outputs so far."""
        self.recorder.clear(wait=wait)


class _ZMQFreeShell(InteractiveShell):
    """An IPython shell without kernel, terminal, history file, thread or user profile.

    The name holds "ZMQ" because pandas recognises a notebook by these letters in the name of the shell's class.
    """

    recorder: Recorder
    failed_display = False

    def __init__(self, recorder: Recorder) -> None:
        config = Config()
        config.HistoryManager.enabled = False
        config.HistoryManager.hist_file = ":memory:"
        config.InteractiveShell.autoindent = False
        self.recorder = recorder
        super().__init__(config=config, displayhook_class=_Hook, display_pub_class=_Publisher)
        self.displayhook.recorder = recorder  # type: ignore[attr-defined]
        self.display_pub.recorder = recorder  # type: ignore[attr-defined]

    def init_ipython_dir(self, ipython_dir: str | None) -> None:
        """Use no folder of the user."""

    def init_profile_dir(self, profile_dir: Any) -> None:
        """Use no profile."""

    def init_virtualenv(self) -> None:
        """Leave ``sys.path`` alone."""

    def init_hooks(self) -> None:
        """Show nothing in a pager."""
        super().init_hooks()
        self.set_hook("show_in_pager", lambda *_, **__: None, 1)

    def enable_gui(self, gui: str | None = None) -> None:
        """Accept any event loop and start none."""

    def ask_exit(self) -> None:
        """Refuse to end the process that runs the notebook."""
        raise ReportError("exit and quit are not possible in a report notebook; remove the call")

    def _showtraceback(self, etype: type[BaseException], evalue: BaseException, stb: list[str]) -> None:
        self.failed_display = self.failed_display or self.displayhook.is_active
        self.recorder.add("error", ename=etype.__name__, evalue=str(evalue), traceback=list(stb))


class ShellEngine(Engine):  # type: ignore[misc]
    """Papermill engine that runs the cells in this process."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> None:
        """Execute the cells of a managed notebook, up to the first error.

        Parameters
        ----------
        nb_man : papermill.engines.NotebookExecutionManager
            Holds the notebook and is told of each cell.
        kernel_name : str
            Not used: there is no kernel.
        **options : object
            ``stdout_file`` and ``stderr_file`` receive a copy of the streams; papermill's options for kernels have no
            meaning here.

        Raises
        ------
        ReportError
            If the process already runs an IPython session or an event loop.
        """
        files = {"stdout": options.get("stdout_file"), "stderr": options.get("stderr_file")}
        recorder = Recorder({name: file for name, file in files.items() if file is not None})
        with _session(recorder) as (shell, loop):
            for index, cell in enumerate(nb_man.nb.cells):
                nb_man.cell_start(cell, index)
                try:
                    failed = cell.cell_type == "code" and loop.run_until_complete(_run(shell, cell))
                    if failed:
                        nb_man.cell_exception(cell, cell_index=index)
                finally:
                    nb_man.cell_complete(cell, cell_index=index)
                if failed and "raises-exception" not in cell.metadata.get("tags", []):
                    break
        nb_man.nb.metadata["language_info"] = language_info()


def language_info() -> dict[str, Any]:
    """Return the metadata that a Python kernel writes about its language.

    Returns
    -------
    dict
        As in notebook metadata ``language_info``.

    Raises
    ------
    None
    """
    return {
        "codemirror_mode": {"name": "ipython", "version": sys.version_info[0]},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": f"ipython{sys.version_info[0]}",
        "version": sys.version.split()[0],
    }


async def _run(shell: _ZMQFreeShell, cell: NotebookNode) -> bool:
    """Run one cell as a kernel does, inside a running event loop; return True if it failed."""
    if not cell.source.strip() or "skip-execution" in cell.metadata.get("tags", []):
        return False
    cell.execution_count = shell.execution_count
    shell.recorder.start(cell.outputs)
    shell.failed_display = False
    result = None
    if not _is_async(shell, cell.source):
        result = shell.run_cell(cell.source, store_history=True)
    else:
        try:
            transformed = shell.transform_cell(cell.source)
            result = await shell.run_cell_async(cell.source, store_history=True, transformed_cell=transformed)
        finally:
            shell.events.trigger("post_execute")
            shell.events.trigger("post_run_cell", result)
    return result is None or not result.success or shell.failed_display


def _is_async(shell: _ZMQFreeShell, source: str) -> bool:
    try:
        transformed = shell.transform_cell(source)
    except Exception:  # the shell reports it when the cell runs
        return False
    return bool(shell.should_run_async(source, transformed_cell=transformed))


def _no_input(*_: object, **__: object) -> str:
    raise StdinNotImplementedError("a notebook that is run for a report cannot ask for input")


@contextmanager
def _session(recorder: Recorder) -> Iterator[tuple[_ZMQFreeShell, asyncio.AbstractEventLoop]]:
    """Make a shell the IPython session of this process, and put everything back afterwards."""
    if InteractiveShell.initialized():
        raise ReportError(
            "engine 'interim' cannot run inside an IPython session; use 'interim run' or the plain engine"
        )
    if asyncio._get_running_loop() is not None:
        raise ReportError(
            "engine 'interim' cannot run inside an event loop; use 'interim run' or the plain engine"
        )
    with _process_state():
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            shell = _ZMQFreeShell.instance(recorder=recorder)
            sys.stdout, sys.stderr = _Stream("stdout", recorder), _Stream("stderr", recorder)
            builtins.input = getpass.getpass = _no_input
            with _inline_figures(shell):
                yield shell, loop
        finally:
            _close(loop)


def _close(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    asyncio.set_event_loop(None)
    loop.close()


@contextmanager
def _process_state() -> Iterator[None]:
    """Put back what a session changes in the process."""
    main, path, environment = sys.modules["__main__"], list(sys.path), dict(os.environ)
    names = {
        module: {name: vars(module).get(name, _ABSENT) for name in changed} for module, changed in _CHANGED
    }
    handlers, level = list(logging.root.handlers), logging.root.level
    logging.root.handlers.clear()
    try:
        yield
    finally:
        if _ZMQFreeShell.initialized():
            shell = _ZMQFreeShell.instance()
            shell.restore_sys_module_state()
            atexit.unregister(shell.atexit_operations)
            _ZMQFreeShell.clear_instance()
        for module, values in names.items():
            vars(module).update(values)
            for name in [name for name, value in values.items() if value is _ABSENT]:
                delattr(module, name)
        sys.modules["__main__"], sys.path[:] = main, path
        os.environ.clear()
        os.environ.update(environment)
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)


_ABSENT = object()
_CHANGED = (
    (sys, ("stdout", "stderr", "ps1", "ps2", "ps3", "excepthook", "displayhook")),
    (builtins, ("input", "get_ipython", "display", "exit", "quit", "_")),
    (getpass, ("getpass",)),
)


@contextmanager
def _inline_figures(shell: _ZMQFreeShell) -> Iterator[None]:
    """Let figures appear as outputs, whether matplotlib is loaded already or only by a cell."""
    os.environ["MPLBACKEND"] = INLINE
    matplotlib = sys.modules.get("matplotlib")
    if matplotlib is None:
        yield
        return
    from matplotlib import rc_context

    with rc_context():
        _activate_inline(shell)
        yield


def _activate_inline(shell: _ZMQFreeShell) -> None:
    from IPython.core.pylabtools import activate_matplotlib
    from matplotlib_inline import backend_inline
    from matplotlib_inline.config import InlineBackend

    InlineBackend.clear_instance()
    backend_inline.configure_inline_support.current_backend = "unset"  # type: ignore[attr-defined]
    activate_matplotlib(INLINE)
    backend_inline.configure_inline_support(shell, INLINE)
