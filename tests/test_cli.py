from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from interim import cli
from interim.errors import DataError, Finding, ReportError

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {
    "pandas",
    "numpy",
    "scipy",
    "matplotlib",
    "seaborn",
    "lifelines",
    "statsmodels",
    "sklearn",
    "papermill",
    "nbformat",
    "IPython",
    "typst",
    "docx",
    "pyarrow",
}


def loaded(code: str) -> set[str]:
    """Return the packages that a fresh interpreter has loaded after some code."""
    tail = "\nimport sys; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.rule("CLI-01")
@pytest.mark.parametrize(
    "code",
    [
        "import interim",
        "import interim.cli",
        "from interim import cli\ntry: cli.main(['--help'])\nexcept SystemExit: pass",
        "from interim import cli\ntry: cli.main(['run', '--help'])\nexcept SystemExit: pass",
        "from interim import read_study",
        "import interim.report.run",
        "import interim.report.engine",
    ],
)
def test_light_commands_load_nothing_heavy(code):
    assert not loaded(code) & HEAVY


def test_a_command_leaves_the_collector_of_the_process_as_it_was(capsys):
    import gc

    before = gc.get_threshold()
    assert cli.main(["check", "notebooks"]) == 0
    assert gc.get_threshold() == before


@pytest.mark.rule("CLI-04")
def test_what_a_build_imports_holds_neither_scipy_stats_nor_the_library_of_sas_files():
    code = (
        "import sys, pkgutil, importlib, pathlib, interim.stats, interim.design, interim.analysis, interim.adam\n"
        "from interim.report.warm import warm\n"
        "rooms = (interim.stats, interim.design, interim.analysis, interim.adam)\n"
        "names = [m.name for r in rooms for m in pkgutil.walk_packages(r.__path__, r.__name__ + '.')]\n"
        "for name in names: importlib.import_module(name)\n"
        "warm(pathlib.Path('.'))\n"
        "print(len(names), *{'scipy.stats', 'pyreadstat'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    count, *found = done.stdout.split()
    assert int(count) > 200 and found == []


def test_the_public_names_are_loaded_on_first_use():
    import interim

    assert interim.read_study.__module__ == "interim.study.read"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = interim.nothing


@pytest.mark.rule("CLI-02")
def test_help_lists_the_commands_that_exist(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert all(
        f"\n    {name} " in text
        for name in ("run", "check", "verify", "compare", "validate", "simulate", "example")
    )
    assert not any(f"\n    {name} " in text for name in ("portfolio",))


@pytest.mark.rule("CLI-02")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "COMMAND"),
        (["fly"], "invalid choice: 'fly'"),
        (["run"], "study"),
        (["run", "a.toml", "-p", "cut_date"], "NAME=VALUE is needed, found 'cut_date'"),
        (["run", "a.toml", "-p", "study=b.toml"], "the study is the first argument"),
        (["validate", "x", "--workers", "many"], "invalid choice"),
        (["example", "x", "--seed", "one"], "a whole number from 0 is needed, found 'one'"),
        (["example", "x", "--seed", "-1"], "a whole number from 0 is needed, found '-1'"),
    ],
)
def test_wrong_usage_is_code_2(arguments, words, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.rule("CLI-03")
def test_a_wrong_study_file_is_one_list_with_code_1(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    file = tmp_path / "bad.toml"
    file.write_text('[study]\nid = 3\n[data]\npath = "x"\ncut_date = 2026-01-01\nwrong = 1\n')
    assert cli.main(["run", str(file), "--reports", str(tmp_path / "r")]) == 1
    text = capsys.readouterr().err
    assert text.startswith("StudyError: 2 problems in the study parameters:")
    assert "bad.toml:2" in text
    assert "bad.toml:6" in text
    assert "Traceback" not in text
    assert not (tmp_path / "r").exists()


FINDINGS = (
    Finding(
        "XD-KEY",
        "stop",
        "LB",
        "keep one of them",
        subject="S-1",
        variable="LBSEQ",
        value="4",
        file="lb.csv",
        row=7,
    ),
    Finding("AE-GRADE", "warn", "AE", "enter it", subject="S-2", file="ae.csv", row=9),
)


def failing(error):
    def command(*_):
        raise error

    return command


@pytest.mark.rule("CLI-03")
@pytest.mark.parametrize("as_json", [False, True])
def test_findings_are_one_list_with_file_row_subject_rule_and_what_to_do(as_json, capsys, monkeypatch):
    monkeypatch.setattr(cli, "_run", failing(DataError(FINDINGS)))
    assert cli.main(["run", "a.toml", *(["--json"] if as_json else [])]) == 1
    printed = capsys.readouterr()
    if as_json:
        answer = json.loads(printed.out)
        assert (answer["status"], answer["error"], len(answer["findings"])) == ("failed", "DataError", 2)
        assert answer["findings"][0]["row"] == 7
    else:
        assert printed.err.splitlines() == [
            "DataError: 1 finding(s) stop the run; 1 further finding(s)",
            "STOP XD-KEY [lb.csv row 7] S-1 LBSEQ = '4': keep one of them",
            "WARN AE-GRADE [ae.csv row 9] S-2: enter it",
        ]


@pytest.mark.rule("CLI-03")
@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ReportError("the cause"), 1, "ReportError: the cause"),
        (KeyboardInterrupt(), 130, "interrupted; nothing was published"),
        (ZeroDivisionError("x"), 1, "a defect of interim, not of your study: ZeroDivisionError: x"),
    ],
)
def test_exit_codes(error, code, words, capsys, monkeypatch):
    monkeypatch.setattr(cli, "_run", failing(error))
    assert cli.main(["run", "a.toml"]) == code
    text = capsys.readouterr().err
    assert words in text
    assert "Traceback" not in text


@pytest.mark.rule("CLI-03")
def test_debug_shows_the_traceback(capsys, monkeypatch):
    monkeypatch.setattr(cli, "_run", failing(ReportError("the cause")))
    assert cli.main(["--debug", "run", "a.toml"]) == 1
    assert "Traceback" in capsys.readouterr().err
    monkeypatch.setattr(cli, "_run", failing(ZeroDivisionError("x")))
    with pytest.raises(ZeroDivisionError):
        cli.main(["--debug", "run", "a.toml"])


def test_a_closed_pipe_is_no_traceback(monkeypatch):
    import io

    monkeypatch.setattr(cli, "_run", failing(BrokenPipeError()))
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert cli.main(["run", "a.toml"]) == 1


@pytest.mark.rule("NB-02")
def test_the_notebooks_of_the_project_keep_the_rules(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert cli.main(["check", "notebooks"]) == 0, capsys.readouterr().out


@pytest.mark.rule("NB-03")
def test_check_notebooks_fix_strips(tmp_path, capsys):
    source = ROOT / "notebooks" / "03_dose_finding.ipynb"
    book = json.loads(source.read_text(encoding="utf-8"))
    next(cell for cell in book["cells"] if cell["cell_type"] == "code")["execution_count"] = 5
    file = tmp_path / source.name
    file.write_text(json.dumps(book), encoding="utf-8")
    assert cli.main(["check", "notebooks", "--notebooks", str(tmp_path)]) == 1
    assert "not stripped" in capsys.readouterr().out
    assert cli.main(["check", "notebooks", "--notebooks", str(tmp_path), "--fix"]) == 0
    assert f"stripped {file}" in capsys.readouterr().out
    assert file.read_bytes() == source.read_bytes()


def test_the_engine_is_registered_with_papermill():
    from importlib.metadata import entry_points

    (found,) = [point for point in entry_points(group="papermill.engine") if point.name == "interim"]
    assert found.value == "interim.report.engine:InterimEngine"


def test_the_module_can_be_run():
    done = subprocess.run(
        [sys.executable, "-m", "interim.cli", "--version"],
        capture_output=True,
        text=True,
        env=dict(os.environ),
    )
    assert done.stdout.startswith("interim 0.")


@pytest.mark.rule("CLI-03")
@pytest.mark.parametrize(("findings", "code"), [((), 0), (FINDINGS, 1), (FINDINGS[1:], 0)])
def test_check_lists_the_findings_of_a_study(findings, code, capsys, monkeypatch):
    from datetime import datetime

    import interim.adam
    from interim.adam.model import Adam

    opened = interim.adam.Opened(None, Adam({}, datetime(2026, 1, 1), findings))
    monkeypatch.setattr(interim.adam, "open_adam", lambda study: opened)
    assert cli.main(["check", str(ROOT / "params" / "example.toml")]) == code
    first, *listed, last = capsys.readouterr().out.splitlines()
    assert "parameters are valid" in first
    assert listed == [str(finding) for finding in findings]
    assert last.endswith(f"{len(findings)} findings)")


@pytest.mark.rule("REPLAY-01")
def test_check_as_of_an_earlier_day(capsys, monkeypatch):
    from datetime import datetime

    import interim.adam
    from interim.adam.model import Adam

    seen = []

    def opened(study):
        seen.append(study)
        return interim.adam.Opened(None, Adam({}, datetime(2026, 1, 1)))

    monkeypatch.setattr(interim.adam, "open_adam", opened)
    file = str(ROOT / "params" / "example.toml")
    assert cli.main(["check", file, "--as-of", "2026-01-18"]) == 0
    assert capsys.readouterr().out.splitlines()[0].endswith("; replay of 2026-01-18")
    assert cli.main(["check", file]) == 0
    assert "replay" not in capsys.readouterr().out
    assert [(f"{study.cut:%Y-%m-%d}", study.replayed) for study in seen] == [
        ("2026-01-18", True),
        ("2026-06-30", False),
    ]


def test_example_writes_the_files(tmp_path, capsys, monkeypatch):
    from interim.example import modes

    asked = {}

    def write_study(folder, **options):
        asked.update(options, folder=folder)
        return ["dm.csv", "ae.csv"]

    monkeypatch.setattr(modes, "write_study", write_study)
    assert cli.main(["example", str(tmp_path), "--preset", "tiny10", "--seed", "3"]) == 0
    assert asked == {"folder": tmp_path, "preset": "tiny10", "seed": 3, "defects": (), "null": False}
    assert "2 files of synthetic data" in capsys.readouterr().out


def test_a_process_that_ends_searches_for_nothing():
    code = (
        "import atexit, gc\natexit.register(lambda: print(gc.get_freeze_count() > 0))\n"
        "from interim import cli\nprint(gc.get_freeze_count())\ncli.main(['--version'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout.split()[0], done.stdout.split()[-1]) == ("0", "True"), done.stderr
