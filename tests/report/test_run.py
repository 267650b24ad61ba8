from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys

import pytest

from interim.report import hashes
from interim.report.package import plans
from tests.report import handmade
from tests.report.conftest import interim

HEAVY = (
    "pandas",
    "numpy",
    "scipy",
    "matplotlib",
    "papermill",
    "nbformat",
    "IPython",
    "typst",
    "docx",
    "pyarrow",
)


def some_books(folder, *names):
    """Copy some of the notebooks."""
    folder.mkdir()
    for name in names:
        shutil.copy(handmade.ROOT / "notebooks" / name, folder)
    return folder


def changed_book(folder, old, new):
    """Copy two notebooks and change the source of the first."""
    path = some_books(folder, "04_safety.ipynb", "07_data_quality.ipynb") / "04_safety.ipynb"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return folder


@pytest.mark.rule("RUN-01")
def test_a_run_gives_documents_notebooks_data_and_manifest(hand_run):
    found = {p.relative_to(hand_run.folder).as_posix() for p in hand_run.folder.rglob("*") if p.is_file()}
    books = {f"notebooks/{p.name}" for p in (handmade.ROOT / "notebooks").glob("*.ipynb")}
    data = {
        f"data/{name}"
        for name in ("results.parquet", "results.json", "links.parquet", "findings.json", "adsl.parquet")
    }
    editions = [plan.editions(("en",), ("html", "pdf", "docx"))["en"] for plan in plans()]
    documents = {f"documents/{name}" for names in editions for name in names}
    documents |= {f"documents/{plan.number}_{plan.stem}.json" for plan in plans() if plan.json}
    assert books | data | documents | {"manifest.json", "manifest.sha256"} <= found
    assert sum("] " in line and " done " in line for line in hand_run.lines) == len(books)
    assert any("(fork)" in line for line in hand_run.lines)
    assert hand_run.lines[-1 - len(documents)].startswith("findings: 0 stop, 3 warn")


@pytest.mark.rule("PRV-44")
def test_executed_notebooks_name_the_study_file_and_not_where_it_lies(hand_run):
    home = hand_run.folder.parents[2]
    for path in (hand_run.folder / "notebooks").glob("*.ipynb"):
        book = json.loads(path.read_text(encoding="utf-8"))
        (injected,) = [cell for cell in book["cells"] if cell["id"] == "injected-parameters"]
        assert 'study = "hand.toml"' in "".join(injected["source"]).splitlines()
        assert str(home) not in path.read_text(encoding="utf-8")


@pytest.mark.rule("RUN-01")
def test_results_are_the_same_numbers_as_parquet_and_json(hand_run):
    import pandas as pd

    frame = pd.read_parquet(hand_run.folder / "data" / "results.parquet")
    rows = json.loads((hand_run.folder / "data" / "results.json").read_text(encoding="utf-8"))
    assert [row["result_id"] for row in rows] == frame["result_id"].tolist()
    assert [row["value"] for row in rows] == [None if value != value else value for value in frame["value"]]
    orr = next(row for row in rows if row["result_id"] == "response.best_response/total/orr/-/rate")
    assert (orr["n"], orr["N"]) == (1, 15)


def built(home, name, cache, **environment):
    """Run without documents into a folder of its own; return the bytes of the report, and the notebooks that ran."""
    arguments = (
        "run",
        home / "params" / "hand.toml",
        "--reports",
        home / name,
        "--notebooks",
        home / "books",
    )
    done = interim(*arguments, "--cache", home / cache, HAND_WITHOUT_DOCUMENTS="1", **environment)
    assert done.returncode == 0, done.stderr
    folder = home / name / "HAND" / "2026-06-30"
    files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    return files, {line.split()[1] for line in done.stdout.splitlines() if re.match(r"\[\d+/\d+\]", line)}


@pytest.mark.rule("RUN-02")
@pytest.mark.rule("CACHE-06")
def test_the_whole_package_is_the_same_to_the_byte_from_what_its_build_kept(hand_run, tmp_path):
    cache = f"{hand_run.reports}.cache"
    done = interim(
        "run", hand_run.study, "--reports", tmp_path, "--cache", cache, PYTHONHASHSEED="3", TZ="Asia/Shanghai"
    )
    assert done.returncode == 0, done.stderr
    assert not re.search(r"\] \d\d_\w+ done", done.stdout)
    folder = tmp_path / "HAND" / "2026-06-30"
    assert hashes.tree(folder) == hashes.tree(hand_run.folder)


@pytest.mark.rule("RUN-02")
@pytest.mark.rule("CACHE-06")
def test_cold_and_warm_runs_give_the_same_bytes_and_run_only_what_changed(tmp_path):
    handmade.write_study(tmp_path / "params", '["html", "pdf", "docx"]')
    books = some_books(tmp_path / "books", "01_conduct.ipynb", "02_participants.ipynb")
    both = {"01_conduct", "02_participants"}
    cold, ran = built(tmp_path, "r0", "cache0", PYTHONHASHSEED="1")
    assert ran == both
    other, ran = built(tmp_path, "r1", "cache1", PYTHONHASHSEED="2", TZ="Asia/Shanghai", LC_ALL="C")
    assert other == cold
    assert ran == both
    for book in books.iterdir():
        book.touch()
    warm, ran = built(tmp_path, "r2", "cache1", PYTHONHASHSEED="3")
    assert warm == cold
    assert ran == set()
    damaged = max((tmp_path / "cache1").glob("??/*"), key=lambda path: path.stat().st_size)
    damaged.write_bytes(damaged.read_bytes()[:-1])
    edited = books / "01_conduct.ipynb"
    edited.write_text(edited.read_text(encoding="utf-8").replace("# ", "# About "), encoding="utf-8")
    changed, ran = built(tmp_path, "r3", "cache1")
    assert ran == {"01_conduct"}
    assert changed["notebooks/02_participants.ipynb"] == cold["notebooks/02_participants.ipynb"]
    assert changed["notebooks/01_conduct.ipynb"] != cold["notebooks/01_conduct.ipynb"]


@pytest.mark.rule("CACHE-06")
@pytest.mark.rule("CACHE-09")
def test_a_changed_part_runs_exactly_its_readers_again(tmp_path):
    study = handmade.write_study(tmp_path / "params")
    some_books(tmp_path / "books", "01_conduct.ipynb", "02_participants.ipynb")
    both = {"01_conduct", "02_participants"}
    assert built(tmp_path, "r0", "cache")[1] == both
    text = study.read_text(encoding="utf-8")
    study.write_text(text + "[parallel]\nchunk_ms = 51\n", encoding="utf-8")
    assert built(tmp_path, "r1", "cache")[1] == set()
    study.write_text(text + '[rounding]\nmode = "half_even"\n', encoding="utf-8")
    assert built(tmp_path, "r2", "cache")[1] == both
    study.write_text(text, encoding="utf-8")
    (study.parent / "data" / "dm.csv").write_text("USUBJID\n1\n", encoding="utf-8")
    served, ran = built(tmp_path, "r3", "cache")
    assert ran == set()  # the data differ in nothing that is read: only their hash is another
    fresh, ran = built(tmp_path, "r4", "another")
    assert ran == both
    assert served == fresh


@pytest.mark.rule("RUN-02")
def test_an_unchanged_report_is_up_to_date_without_pandas_and_without_a_touch(hand_run):
    before = {p: p.stat().st_mtime_ns for p in hand_run.reports.rglob("*")}
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import handmade\n"
        "code = handmade.main(sys.argv[2:]); print(code, *sorted({*sys.modules, *(m.split('.')[0] for m in sys.modules)}))"
    )
    here = str(handmade.ROOT / "tests" / "report")
    command = [
        sys.executable,
        "-c",
        code,
        here,
        "run",
        str(hand_run.study),
        "--reports",
        str(hand_run.reports),
    ]
    done = subprocess.run(command, cwd=handmade.ROOT, capture_output=True, text=True)
    *lines, last = done.stdout.splitlines()
    assert last.split()[0] == "0", done.stderr
    assert lines[-1].startswith("up to date"), "the source of the package changed while the tests ran"
    assert not set(last.split()) & {*HEAVY, "interim.report.build"}
    assert {p: p.stat().st_mtime_ns for p in hand_run.reports.rglob("*")} == before


@pytest.mark.rule("RUN-03")
def test_a_failing_cell_is_reported_and_the_last_report_stays(hand_run, tmp_path):
    old = 'chapter.table(\\"T 14.3.1.1\\")'
    books = changed_book(tmp_path / "books", old, "total = 1\\n\\ntotal / 0")
    before = {p: p.read_bytes() for p in hand_run.folder.rglob("*") if p.is_file()}
    done = interim("run", hand_run.study, "--reports", hand_run.reports, "--notebooks", books)
    assert done.returncode == 1
    text = done.stderr
    assert (
        "04_safety.ipynb: section 'Overview', cell 'overview-table', line 3: ZeroDivisionError: division by zero"
        in text
    )
    assert "\n    total / 0\n" in text
    assert re.search(r"again, alone: papermill --engine interim \S+04_safety.ipynb", text)
    kept = hand_run.folder.with_name("2026-06-30.failed")
    assert "ZeroDivisionError" in (kept / "04_safety.ipynb").read_text(encoding="utf-8")
    assert (kept / "07_data_quality.ipynb").exists(), "the other notebooks finish"
    assert {p: p.read_bytes() for p in hand_run.folder.rglob("*") if p.is_file()} == before
    shutil.rmtree(kept)


@pytest.mark.rule("RUN-03")
def test_an_error_made_on_purpose_shows_its_text_and_no_traceback(hand_run, tmp_path):
    books = changed_book(tmp_path / "books", "T 14.3.1.1\\", "T 99.9\\")
    done = interim("run", hand_run.study, "--reports", tmp_path, "--notebooks", books, "--json")
    assert (done.returncode, done.stderr) == (1, "")
    answer = json.loads(done.stdout)
    assert (answer["status"], answer["error"], len(answer["failures"])) == ("failed", "NotebookError", 1)
    failure = answer["failures"][0]
    assert (failure["cell"], failure["line"], failure["error"]) == ("overview-table", 1, "ReportError")
    assert "no table of the registry" in failure["message"]
    assert "|" not in answer["message"].replace("T 14", "").split("again")[0]


@pytest.mark.rule("RUN-04")
@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        ("cut_dat=2026-01-01", "unknown parameter 'cut_dat'; did you mean 'cut_date'?"),
        ("language=fr", "language = 'fr' is not available; permitted: en, zh-CN"),
        ("cut_date=soon", "cut_date"),
    ],
)
def test_a_wrong_parameter_is_refused_before_anything_runs(hand_run, tmp_path, parameter, words):
    done = interim("run", hand_run.study, "--reports", tmp_path / "r", "-p", parameter)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "r").exists()


@pytest.mark.rule("RUN-04")
def test_a_cut_date_given_on_the_command_line_names_the_folder(hand_run, tmp_path):
    books = some_books(tmp_path / "books", "03_dose_finding.ipynb")
    options = ("--reports", tmp_path, "--notebooks", books, "-p", "cut_date=2026-05-31", "--json")
    done = interim("run", hand_run.study, *options)
    answer = json.loads(done.stdout)
    assert answer["status"] == "built"
    assert answer["folder"].endswith("HAND/2026-05-31")
    assert set(answer["outputs"]) > {
        f"documents/05_statistical_report.en.{name}" for name in ("html", "pdf", "docx")
    }


@pytest.mark.rule("RUN-01")
def test_only_the_named_formats_are_written(tmp_path):
    study = handmade.write_study(tmp_path / "params", '["html", "rtf"]')
    books = some_books(tmp_path / "books", "03_dose_finding.ipynb")
    done = interim("run", study, "--reports", tmp_path, "--notebooks", books)
    assert done.returncode == 0, done.stderr
    written = {path.name for path in (tmp_path / "HAND").glob("*/documents/*")}
    assert {name.rpartition(".")[2] for name in written} == {"html", "rtf", "json"}
    assert "05_statistical_report.en.html" in written and "06_appendix.en.rtf" in written


@pytest.mark.rule("RUN-02")
def test_without_cache_it_is_built_again(tmp_path):
    study = handmade.write_study(tmp_path / "params")
    study.write_text(study.read_text(encoding="utf-8") + "cache = false\n", encoding="utf-8")
    books = some_books(tmp_path / "books", "03_dose_finding.ipynb")
    statuses = []
    for _ in range(2):
        done = interim("run", study, "--reports", tmp_path, "--notebooks", books, "--json")
        statuses.append(json.loads(done.stdout)["status"])
    assert statuses == ["built", "built"]
