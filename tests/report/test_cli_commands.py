"""Each command in this process: exit code, stream, words, the shape of JSON; no traceback for what a user may do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from interim import cli
from interim.cli import simulation
from interim.errors import DataError, DerivationError, DesignError, Finding, Problem, ReportError, StudyError
from interim.example import modes
from tests.report import handmade
from tests.report.test_malformed_inputs import BOOK, write

BINARY = b"\xff\xfe\x00"


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """A working folder with what users mistake for each other."""
    (tmp_path / "empty.toml").write_text("")
    (tmp_path / "binary.toml").write_bytes(BINARY)
    (tmp_path / "text.toml").write_text("no toml")
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "books").mkdir()
    write(tmp_path / "books", BOOK)
    handmade.write_study(tmp_path / "params")
    monkeypatch.chdir(tmp_path)


def said(capsys) -> tuple[str, str]:
    printed = capsys.readouterr()
    assert "Traceback" not in printed.out + printed.err
    return printed.out, printed.err


WRONG_STUDY = [("absent.toml", "cannot be read (FileNotFoundError)"), ("folder", "cannot be read (IsADirectoryError)"),
               ("binary.toml", "cannot be read (UnicodeDecodeError)"), ("empty.toml", "study: required, but absent"), ("text.toml", "text.toml")]  # fmt: skip
COMMANDS = {
    "run": lambda study: ["run", study, "--notebooks", "books"],
    "check": lambda study: ["check", study],
    "simulate": lambda study: ["simulate", study],
    "trace": lambda study: ["trace", "S-1", "BOR", "--study", study],
    "trace a result": lambda study: ["trace", "a/b/c/d/e", "--study", study],
}


@pytest.mark.rule("CLI-03")
@pytest.mark.parametrize("command", list(COMMANDS))
@pytest.mark.parametrize(("study", "words"), WRONG_STUDY)
def test_a_study_file_that_is_none(command, study, words, capsys):
    assert cli.main(COMMANDS[command](study)) == 1
    out, err = said(capsys)
    assert out == "" and err.startswith("StudyError: ") and words in err


@pytest.mark.rule("CLI-03")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "params/hand.toml", "--notebooks", "nothing"], "ReportError: nothing: no notebook named"),
        (["run", "params/hand.toml", "--notebooks", "file"], "ReportError: file: no notebook named"),
        (["run", "params/hand.toml", "--notebooks", "books", "-p", "language=de"], "unknown parameter 'language'"),
        (["run", "params/hand.toml", "--notebooks", "books", "-p", "studdy=x"], "did you mean 'study'?"),
        (["run", "params/hand.toml", "--notebooks", "books", "-p", "cut_date=soon"], "expected an ISO date such as"),
        (["check", "notebooks", "--notebooks", "folder"], "ReportError: folder: no notebook named"),
        (["check", "notebooks", "--fix", "--notebooks", "absent"], "ReportError: absent: no notebook named"),
        (["simulate", "params/hand.toml", "--trigger", "0.1,0.2,0.3,0.4"], "--trigger needs --p"),
        (["simulate", "params/hand.toml", "--p", "0.1"], "DesignError: "),
        (["simulate", "params/hand.toml", "--p", "0.1,0.2,0.3,2"], "DesignError: "),
        (["simulate", "params/hand.toml", "--p", "nan,0.2,0.3,0.4"], "DesignError: "),
        (["simulate", "params/hand.toml", "--p", "0.1,0.2,0.3,0.4", "--trigger", "0.05,0.2,0.3,0.4"], "DesignError: "),
        (["validate", "file"], "ReportError: file: no such directory"),
        (["validate", "absent"], "ReportError: absent: no such directory"),
        (["validate", "folder"], "ReportError: folder: holds no JSON or CSV file"),
        (["example", "new", "--preset", "huge"], "preset must be one of"),
        (["example", "file"], "a file or folder cannot be read or written: FileExistsError"),
        (["example", "file/below"], "a file or folder cannot be read or written: NotADirectoryError"),
    ],
)  # fmt: skip
def test_a_wrong_request_is_code_1_with_its_reason(arguments, words, capsys):
    assert cli.main(arguments) == 1
    out, err = said(capsys)
    assert out == "" and words in err and "defect of interim" not in err
    assert not Path("reports").exists() and not Path("new").exists()


@pytest.mark.rule("CLI-02")
@pytest.mark.parametrize(
    "arguments",
    [["trace", "S-1"], ["trace", "a/b/c", "BOR"], ["trace", "S-1", "BOR", "more"], ["run", "a", "b"], ["simulate", "a", "--p", "0.1;0.2"],
     ["simulate", "a", "--p", ""], ["run", "a", "-p", "=x"], ["run", "a", "-p"], ["validate"], ["example"], ["check"], ["--json", "run", "a"]],
    ids=" ".join,
)  # fmt: skip
def test_wrong_usage_is_code_2_on_the_stream_of_errors(arguments, capsys):
    try:
        code = cli.main(arguments)
    except SystemExit as ended:
        code = ended.code
    out, err = said(capsys)
    assert code == 2 and out == "" and err.strip()


@pytest.mark.rule("CLI-02")
@pytest.mark.parametrize("command", ["run", "check", "trace", "validate", "simulate", "example"])
def test_each_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])
    out, err = said(capsys)
    assert ended.value.code == 0 and err == "" and f"usage: interim {command}" in out


FINDING = Finding("XD-KEY", "stop", "LB", "keep one", subject="S-1", file="lb.csv", row=7)
ERRORS = {
    "StudyError": (StudyError([Problem("study.id", "a text is needed", "a.toml", 3)]), {"problems"}),
    "DataError": (DataError([FINDING]), {"findings"}),
    "ReportError": (ReportError("why"), set()),
    "DesignError": (DesignError("why"), set()),
    "DerivationError": (DerivationError("why"), set()),
}


@pytest.mark.rule("CLI-03")
@pytest.mark.parametrize("command", ["run", "validate"])
@pytest.mark.parametrize("name", list(ERRORS))
def test_an_error_as_json_is_one_object_on_the_stream_of_results(name, command, capsys, monkeypatch):
    error, lists = ERRORS[name]

    def fail(options):
        raise error

    monkeypatch.setattr(cli, f"_{command}", fail)
    assert cli.main([command, "x", "--json"]) == 1
    out, err = said(capsys)
    answer = json.loads(out)
    assert err == "" and out.count("\n") == 1
    assert {"status", "error", "message"} | lists <= set(answer)
    assert (answer["status"], answer["error"], answer["message"]) == ("failed", name, str(error))


@pytest.mark.rule("CLI-03")
@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (KeyboardInterrupt(), 130, "interrupted; nothing was published"),
        (OSError(28, "No space left on device"), 1, "cannot be read or written: OSError: [Errno 28]"),
        (PermissionError(13, "Permission denied", "x"), 1, "check its path, the rights"),
        (MemoryError(), 1, "a defect of interim, not of your study: MemoryError"),
        (RecursionError("deep"), 1, "RecursionError: deep"),
        (KeyError("a"), 1, "a defect of interim, not of your study: KeyError: 'a'"),
        (UnicodeEncodeError("ascii", "é", 0, 1, "no"), 1, "UnicodeEncodeError"),
    ],
)
@pytest.mark.parametrize("command", ["run", "check", "trace", "validate", "simulate", "example"])
def test_any_accident_of_any_command_is_a_code_and_two_lines(error, code, words, command, capsys, monkeypatch):  # fmt: skip
    def fail(options):
        raise error

    monkeypatch.setattr(simulation if command == "simulate" else cli, f"_{command}", fail)
    assert cli.main([command, "x"]) == code
    out, err = said(capsys)
    assert out == "" and words in err and len(err.splitlines()) <= 2


@pytest.mark.rule("CLI-03")
@pytest.mark.parametrize("error", [OSError("x"), KeyError("x"), ValueError("x")])
def test_debug_raises_what_was_not_foreseen(error, monkeypatch):
    def fail(options):
        raise error

    monkeypatch.setattr(cli, "_check", fail)
    with pytest.raises(type(error)):
        cli.main(["--debug", "check", "x"])


@pytest.mark.rule("CLI-03")
def test_debug_keeps_the_code_and_the_words_of_a_foreseen_error(capsys):
    assert cli.main(["--debug", "check", "absent.toml"]) == 1
    err = capsys.readouterr().err
    assert "Traceback" in err and err.splitlines()[-1].startswith("StudyError: absent.toml")


@pytest.mark.rule("NB-02")
def test_the_check_of_notebooks_counts_by_its_code(capsys):
    assert cli.main(["check", "notebooks", "--notebooks", "books"]) == 0
    assert said(capsys) == ("", "")
    write(Path("books"), {**BOOK, "cells": [{**cell, "execution_count": 1} if cell["cell_type"] == "code" else cell for cell in BOOK["cells"]]})  # fmt: skip
    assert cli.main(["check", "notebooks", "--notebooks", "books"]) == 1
    assert "is not stripped of outputs" in said(capsys)[0]
    assert cli.main(["check", "notebooks", "--notebooks", "books", "--fix"]) == 0
    assert said(capsys) == (f"stripped {Path('books/01_a.ipynb')}\n", "")
    assert cli.main(["check", "notebooks", "--notebooks", "books", "--fix"]) == 0
    assert said(capsys) == ("", "")


def test_simulate_prints_a_line_per_scenario_and_reading(capsys):
    assert cli.main(["simulate", "params/hand.toml", "--p", "0,0,0,0"]) == 0
    head, *rows = said(capsys)[0].splitlines()
    numbers = [row.split() for row in rows if row.startswith("scenario ")]
    place = head.replace(" (", "(").split().index("P(DL4)")
    assert len(numbers) == 2 and {row[place] for row in numbers} <= {"1", "1.0", "1.000", "1.0000"}


def test_the_example_is_written_and_said(capsys, monkeypatch):
    calls = {}
    monkeypatch.setattr(modes, "write_study", lambda folder, **more: calls.update(more) or ["a", "b"])
    monkeypatch.setattr("interim.report.privacy.key.write_public_key", lambda folder: None)
    assert cli.main(["example", "new", "--seed", "7", "--preset", "tiny10"]) == 0
    assert said(capsys)[0] == "2 files of synthetic data in new\n" and calls == {
        "preset": "tiny10",
        "seed": 7,
        "defects": (),
        "null": False,
    }
    calls.clear()
    assert cli.main(["example", "new"]) == 0
    assert calls == {"preset": "main13", "seed": 20251225, "defects": (), "null": False}
