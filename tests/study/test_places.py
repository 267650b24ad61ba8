"""Where the keys of unusual TOML stand, inheritance over several files, and the text of errors."""

from __future__ import annotations

import tomllib
from datetime import datetime
from pathlib import Path

import pytest

from interim.errors import Problem, StudyError
from interim.study import read_study
from interim.study.lines import line_index

HEAD = '[study]\nid = "X"\n[data]\npath = "d"\ncut_date = 2026-01-01\n'


def write(folder: Path, text: str, name: str = "study.toml") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", newline="")
    return file


def problems(file: Path, **more: str) -> dict[str, Problem]:
    with pytest.raises(StudyError) as caught:
        read_study(file, **more)
    return {problem.path: problem for problem in caught.value.problems}


@pytest.mark.rule("STUDY-02")
@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("a = 1 # b = 2\nc = 3", ("c",), 2),
        ("a.b.c = 1\na.b.d = 2", ("a", "b", "d"), 2),
        ("a . b = 1\n'c' . \"d\" = 2", ("c", "d"), 2),
        ("x = 1\na.b.c = 1", ("a", "b"), 2),
        ("x = 1\na.b.c = 1", ("a",), 2),
        ("[a.b]\nx = 1\n[a]\ny = 2", ("a",), 3),
        ("[a.b]\nx = 1\n[a.c]\ny = 2", ("a",), 1),
        ("x = 1\n[[a]]\n[[a]]\ny = 2", ("a",), 2),
        ("x = 1\n[[a]]\n[[a]]\ny = 2", ("a", 1, "y"), 4),
        ("[[a.b]]\nx = 1\n[[a.b]]\nx = 2", ("a",), 1),
        ("[[a]]\n[[a.b]]\n[[a.b]]\nx = 1\n[[a]]\n[[a.b]]\nx = 2", ("a", 0, "b", 1, "x"), 4),
        ("[[a]]\n[[a.b]]\n[[a.b]]\nx = 1\n[[a]]\n[[a.b]]\nx = 2", ("a", 1, "b", 0, "x"), 7),
        ("[[a]]\n[a.b.c]\nx = 1\n[[a]]\n[a.b.c]\nx = 2", ("a", 1, "b", "c", "x"), 6),
        ("  [ a . b ] # note ]\n\tx = 1", ("a", "b", "x"), 2),
        ("[\"a b\".'c']\nx = 1", ("a b", "c", "x"), 2),
        ("a = [\n [1, 2], # ]\n]\nb = 1", ("b",), 4),
        ("a = [\n \"]]\", '[',\n]\nb = 1", ("b",), 4),
        ('a = { b = [\n1 ], c = "}" }\nb = 1', ("b",), 3),
        ('a = """x\n[b]\nc = 1\n"""\nd = 1', ("d",), 5),
        ("a = '''\n\"\"\"\n'''\nd = 1", ("d",), 4),
        ('a = ["""x\n]""", 1,\n]\nd = 1', ("d",), 4),
        ('a = "\\"["\nd = 1', ("d",), 2),
        ('a = "x = ["\nd = 1', ("d",), 2),
        ("a = ''\nd = 1", ("d",), 2),
        ('a = """"""\nd = 1', ("d",), 2),
        ("\n\n# [x]\n\nd = 1", ("d",), 5),
        ('a = "\u2028\u0085"\nd = 1', ("d",), 2),
        ("1 = 2\n2-x_ = 3", ("2-x_",), 2),
        ("\u3000".strip() + "a = 1\n'剂量' = 2", ("剂量",), 2),
    ],
)
def test_line_of_a_key(text, path, line):
    tomllib.loads(text)
    assert line_index(text)[path] == line


@pytest.mark.rule("STUDY-02")
@pytest.mark.parametrize(
    ("text", "absent"),
    [('a = """\n[b]\n"""', ("b",)), ("a = [\n'b = 1',\n]", ("b",)), ("# b = 1\na = 1", ("b",))],
)
def test_what_stands_in_a_text_or_a_comment_is_no_key(text, absent):
    assert absent not in line_index(text)
    assert set(line_index(text)) == {("a",)}


def paths(value, prefix=()):
    """Return every key path of a document that tomllib has read."""
    for key, item in value.items():
        yield (*prefix, key)
        if isinstance(item, dict):
            yield from paths(item, (*prefix, key))
        elif isinstance(item, list) and item and isinstance(item[0], dict):
            for place, row in enumerate(item):
                yield (*prefix, key, place)
                yield from paths(row, (*prefix, key, place))


@pytest.mark.rule("STUDY-02")
@pytest.mark.parametrize("name", ["example", "cdisc-pilot", "cdisc-pilot-xpt", "nct07021534"])
def test_every_key_of_the_shipped_studies_has_the_line_that_holds_it(name):
    from tests.conftest import ROOT

    text = (ROOT / "params" / f"{name}.toml").read_text(encoding="utf-8")
    index, rows = line_index(text), text.splitlines()
    known = set(paths(tomllib.loads(text)))
    assert set(index) <= known
    for path, line in index.items():
        part = next(part for part in reversed(path) if isinstance(part, str))
        assert part in rows[line - 1] or any(
            str(p) in rows[line - 1] for p in known if p[: len(path)] == path
        )
    top = {path[:1] for path in known}
    assert top <= set(index)


VISIT = '[[schedule.visit]]\nvisitnum = 1.0\nlabel = "V"\nday = 1\n'
PRODUCT = '[[products]]\nid = "A"\nextrt = ["a"]\nrole = "nk"\n'


@pytest.mark.rule("STUDY-02")
@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        (f"{HEAD}{PRODUCT}{PRODUCT}", "products", 6),
        (f"{HEAD}{VISIT}{VISIT}", "schedule", 6),
        (f"dose.start_level = 9\n{HEAD}", "dose", 1),
        (f"\ndose = {{ start_level = 9 }}\n{HEAD}", "dose", 2),
        (f"\ndose = {{ start_level = 0 }}\n{HEAD}", "dose.start_level", 2),
        (f"{HEAD}[dose]\nwindow_days = 3\n'start_level' = 0\n", "dose.start_level", 8),
        (f"{HEAD}[cohort]\nvariable = 'A'\n[cohort.labels]\n'a (b)' = 5\n", "cohort.labels.a (b)", 9),
        (f"{HEAD}[cohort]\nvariable = 'A'\n[cohort.labels]\nx = 'b'\nint = 5\n", "cohort.labels.int", 10),
        (f"{HEAD}[safety.vs_limits.'x[1]']\nlow = 'a'\n", "safety.vs_limits.x[1].low", 7),
        (f"{HEAD}[cohort]\nvariable = 'A'\n[cohort.labels]\nx = 'b'\n1 = 5\n", "cohort.labels.1", 10),
        (f"{HEAD}[cohort]\nvariable = 'A'\n[cohort.labels]\nx = 'b'\n'1.2' = 5\n", "cohort.labels.1.2", 10),
        (f"{HEAD}[cohort]\nvariable = 'A'\nlabels = {{ x = 5 }}\n", "cohort.labels.x", 8),
        (f"{HEAD}[safety.vs_limits.SYSBP]\nlow = 90\nhigh = 'x'\n", "safety.vs_limits.SYSBP.high", 8),
        (f"{HEAD}[tte]\nnact_imputation = {{ rule = 'x' }}\n", "tte.nact_imputation.rule", 7),
        (f"{HEAD}[tte.nact_imputation]\nhighest = 'M'\nrule = 'x'\n", "tte.nact_imputation.rule", 8),
        (f"{HEAD}{PRODUCT}{PRODUCT.replace('nk', 'no')}", "products.1.role", 13),
        (f"{HEAD}products = [\n{{ id = 'A' }},\n]\n", "data.products", 6),
        (f"extends = 3\n{HEAD}", "extends", 1),
        (f"{HEAD}sources = ['a']\n", "data", 3),
    ],
)
def test_a_problem_names_file_and_line(tmp_path, text, path, line):
    file = write(tmp_path, text)
    problem = problems(file)[path]
    assert (problem.file, problem.line) == (str(file), line)
    assert str(problem).startswith(f"{file}:{line} {path}: ")


@pytest.mark.rule("STUDY-02")
def test_a_wrong_member_does_not_make_its_list_too_short(tmp_path):
    file = write(
        tmp_path,
        f'{HEAD}[dose]\ndlt_rules = [{{ id = "a", text = "b", all = [{{ var = "A", op = "==" }}] }}]\n',
    )
    assert list(problems(file)) == ["dose.dlt_rules.0.all.0"]
    empty = write(tmp_path, f'{HEAD}[dose]\ndlt_rules = [{{ id = "a", text = "b", all = [] }}]\n')
    assert list(problems(empty)) == ["dose.dlt_rules.0.all"]


@pytest.mark.rule("STUDY-02")
@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        (f"{HEAD}[dose]\nwindow_day = 3", "dose.window_day", "unknown key; did you mean 'window_days'?"),
        (f"{HEAD}[docx]\nzzz = 3", "docx.zzz", "unknown key; known keys: fields"),
        (f"{HEAD}[dosage]\na = 1", "dosage", "unknown key; did you mean 'dose'?"),
        (
            f"{HEAD}[tte.nact_imputation]\nrul = 1",
            "tte.nact_imputation.rul",
            "unknown key; did you mean 'rule'?",
        ),
        (
            f"{HEAD}[[expansion.type]]\nlable = 1",
            "expansion.type.0.lable",
            "unknown key; did you mean 'label'?",
        ),
        ('[study]\nid = "X"\n', "data", "required, but absent"),
        (f"{HEAD}[dose]\nwindow_days = 2.5", "dose.window_days", "expected an integer, found 2.5"),
        (f"{HEAD}[dose]\nwindow_days = '2'", "dose.window_days", "expected an integer, found '2'"),
        (f"{HEAD}[stats]\nlevel = '2'", "stats.level", "expected a number, found '2'"),
        (f"{HEAD}[stats]\nlevel = nan", "stats.level", "expected a finite number, found nan"),
        (f"{HEAD}[safety]\naesi = 'A'", "safety.aesi", "expected a list, found 'A'"),
        (f"{HEAD}[safety]\naesi = [1]", "safety.aesi.0", "expected a text, found 1"),
        (f"stats = 3\n{HEAD}", "stats", "expected a table, found 3"),
        (f"{HEAD}[report]\ncache = 1", "report.cache", "expected true or false, found 1"),
    ],
)
def test_words_of_an_error(tmp_path, text, path, message):
    assert problems(write(tmp_path, text))[path].message == message


@pytest.mark.rule("STUDY-01")
def test_a_chain_over_three_files_in_three_folders(tmp_path):
    labels = '[cohort]\nvariable = "A"\nlabels = { a = "1", b = "2" }\n'
    write(tmp_path, f"{HEAD}{labels}[dose]\nlevels = [1.0, 2.0]\nwindow_days = 21\nn_max = 12\n", "base.toml")
    write(
        tmp_path,
        'extends = "../base.toml"\n[cohort.labels]\nb = "3"\nc = "4"\n[dose]\nn_max = "none"\n',
        "mid/mid.toml",
    )
    top = write(
        tmp_path, 'extends = "../mid/mid.toml"\n[dose]\nlevels = [5.0]\nstart_level = 1\n', "top/top.toml"
    )
    study = read_study(top)
    assert study.cohort.labels == {"a": "1", "b": "3", "c": "4"}
    assert (study.dose.levels, study.dose.window_days, study.dose.n_max) == ((5.0,), 21, "none")
    assert study.file == top


@pytest.mark.rule("STUDY-01")
def test_arrays_of_tables_are_replaced_whole(tmp_path):
    other = PRODUCT.replace('"A"', '"B"')
    write(tmp_path, f"{HEAD}{PRODUCT}{other}", "base.toml")
    study = read_study(write(tmp_path, f'extends = "base.toml"\n{PRODUCT.replace(chr(65), "C")}'))
    assert [product.id for product in study.products] == ["C"]


@pytest.mark.rule("STUDY-02")
def test_a_problem_names_the_file_of_the_chain_that_states_the_key(tmp_path):
    base = write(tmp_path, f"{HEAD}[dose]\nwindow_days = 0\nn_max = 2\n", "base.toml")
    top = write(tmp_path, 'extends = "base.toml"\n[dose]\nn_max = 1\nfoo = 1\n')
    found = problems(top)
    places = {path: (problem.file, problem.line) for path, problem in found.items()}
    assert places == {
        "dose.window_days": (str(base), 7),
        "dose.n_max": (str(top), 3),
        "dose.foo": (str(top), 4),
    }
    assert "found 1" in found["dose.n_max"].message


@pytest.mark.rule("STUDY-01")
def test_a_file_that_extends_itself_and_a_longer_cycle(tmp_path):
    own = write(tmp_path, 'extends = "own.toml"\n', "own.toml")
    with pytest.raises(StudyError, match=r"cycle: own\.toml -> own\.toml"):
        read_study(own)
    for name, parent in (("a", "b"), ("b", "c"), ("c", "a")):
        write(tmp_path, f'extends = "{parent}.toml"\n', f"{name}.toml")
    with pytest.raises(StudyError, match=r"cycle: a\.toml -> b\.toml -> c\.toml -> a\.toml"):
        read_study(tmp_path / "a.toml")


@pytest.mark.rule("STUDY-06")
@pytest.mark.parametrize(
    ("date", "instant"),
    [
        ("2026-03-04", datetime(2026, 3, 4, 23, 59, 59)),
        ("2026-03-04T08:30:00", datetime(2026, 3, 4, 8, 30)),
        ("2024-02-29", datetime(2024, 2, 29, 23, 59, 59)),
    ],
)
def test_the_date_that_replaces_the_cut_off(tmp_path, date, instant):
    assert read_study(write(tmp_path, HEAD), cut_date=date).cut == instant
    assert read_study(write(tmp_path, HEAD.replace("2026-01-01", date))).cut == instant


@pytest.mark.rule("STUDY-06")
@pytest.mark.parametrize("text", ["2026-02-30", "yesterday", "", "04.03.2026"])
def test_a_date_that_is_none_is_refused(tmp_path, text):
    assert "expected an ISO date" in problems(write(tmp_path, HEAD), cut_date=text)["data.cut_date"].message


@pytest.mark.rule("STUDY-06")
@pytest.mark.parametrize("value", ["3", "true"])
def test_what_is_no_date_is_refused_at_its_key(tmp_path, value):
    assert problems(write(tmp_path, HEAD), cut_date=value)["data.cut_date"].line == 5


@pytest.mark.rule("STUDY-02")
def test_a_cut_off_for_a_study_whose_data_are_no_table(tmp_path):
    file = write(tmp_path, 'data = 3\n[study]\nid = "X"\n')
    problem = problems(file, cut_date="2026-01-01")["data"]
    assert (problem.message, problem.line) == ("expected a table, found 3", 1)
    assert problems(write(tmp_path, '[study]\nid = "X"\n'), cut_date="2026-01-01")["data"].message


@pytest.mark.rule("STUDY-06")
def test_the_extract_limit_is_a_day_after_the_cut_or_the_extract(tmp_path):
    assert read_study(write(tmp_path, HEAD)).extract_limit == datetime(2026, 1, 2, 23, 59, 59)
    given = f"{HEAD}extract_time = 2026-01-03T10:00:00+08:00\n"
    assert read_study(write(tmp_path, given)).extract_limit == datetime(2026, 1, 3, 10)


@pytest.mark.rule("STUDY-07")
def test_treated_products_and_roles(tmp_path):
    rows = [PRODUCT, PRODUCT.replace('"A"', '"B"').replace("nk", "t"), PRODUCT.replace('"A"', '"C"')]
    study = read_study(write(tmp_path, HEAD + "".join(rows) + '[sets]\ntreated_products = ["C", "B"]\n'))
    assert [p.id for p in study.treated()] == ["B", "C"]
    assert [p.id for p in study.with_role("nk")] == ["A", "C"]
    assert study.with_role("other") == ()
    with pytest.raises(StudyError, match=r"\['Z'\] is no product id; products are \['A', 'B', 'C'\]"):
        read_study(write(tmp_path, HEAD + "".join(rows) + '[sets]\ntreated_products = ["Z", "B"]\n'))


@pytest.mark.parametrize(
    ("label", "synthetic"), [("", False), ("Synthetic data", True), ("not SYNTHETIC", True), ("real", False)]
)
def test_synthetic_is_read_off_the_label(tmp_path, label, synthetic):
    text = HEAD.replace('id = "X"', f'id = "X"\nlabel = "{label}"')
    assert read_study(write(tmp_path, text)).synthetic is synthetic
