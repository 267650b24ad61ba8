"""The permitted values of every parameter, walked from the schema: just inside is accepted, just outside refused and named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from interim.errors import StudyError
from interim.study import Study, read_study
from interim.study.keys import REQUIRED, parameters

# No reading sets a parameter here, so that each can be tried alone.
OWN = ", ".join(f'AMB-{number} = "own"' for number in range(1, 10))
HEAD = f'ambiguity = {{ {OWN} }}\n[study]\nid = "X"\n[data]\npath = "d"\ncut_date = 2026-01-01\n'
BOUND = re.compile(r"(>=|<=|>|<) ([-\d.e+]+)")
# Rows that an array of tables needs before one of its keys can be tried; the key itself is left out.
ROWS = {
    "products": {"id": '"A"', "extrt": '["a"]', "role": '"nk"'},
    "schedule.visit": {"visitnum": "1.0", "label": '"V"', "day": "1"},
    "expansion.type": {
        "id": '"a"',
        "label": '"L"',
        "values": '["V"]',
        "p0": "0.05",
        "p1": "0.95",
        "p0_source": '"s"',
        "p1_source": '"s"',
    },
    "subgroups": {
        "id": '"nlr"',
        "dimension": '"ratio"',
        "label": '"NLR"',
        "variable": '"NLRBL"',
        "kind": '"continuous"',
        "cuts": "[5]",
        "origin": '"literature"',
        "primary": "true",
    },
    "kinetics.visit_windows": {"until": "1", "tolerance": "1"},
    "study.objectives": {"text": '"t"', "kind": '"primary"', "tlf": '["T"]'},
}
# Values that hang together by a rule of their own: companions that keep the others legal.
WITH = {
    "dose.mtd_min_n": 'mtd_rule = "custom"',
    "irecist.icpd_max_days": "icpd_min_days = 0",
    "irecist.icpd_min_days": "icpd_max_days = 9000",
    "subgroup.min_ci_n": "min_contrast_n = 90",
    "subgroup.min_contrast_n": "min_ci_n = 2",
    "expansion.n_min": "n1_min = 1\nn_max = 99",
    "expansion.n1_min": "n_min = 1\nn_max = 99",
    "expansion.n_max": "n_min = 1\nn1_min = 1",
    "expansion.go_prob": "nogo_prob = 1e-12",
    "expansion.nogo_prob": "go_prob = 0.999999999999",
    "expansion.go_ppos": "nogo_ppos = 1e-12",
    "expansion.nogo_ppos": "go_ppos = 0.999999999999",
}
ALONE = [p for p in parameters() if p.kind.split(" ")[0] in ("number", "integer")]
BOUNDED = [(p, *bound) for p in ALONE for bound in BOUND.findall(p.kind)]
PROB = "number > 0, < 1"


def identify(value) -> str | None:
    return value.key if hasattr(value, "key") else None


def text(key: str, value: str) -> str:
    """Return a study file that states one key; the last line holds it."""
    table, _, name = key.rpartition(".")
    array = table.removesuffix("[]")
    if array == table:
        more = WITH.get(key, "")
        return "\n".join(part for part in (f"{HEAD}[{table}]", more, f"{name} = {value}") if part)
    row = {k: v for k, v in ROWS[array].items() if k != name}
    return "\n".join([f"{HEAD}[[{array}]]", *(f"{k} = {v}" for k, v in row.items()), f"{name} = {value}"])


def place(key: str) -> str:
    return key.replace("[]", ".0")


def read(folder: Path, content: str) -> Study:
    file = folder / "study.toml"
    if "[study]\n" in content[len(HEAD) :] or "[data]\n" in content[len(HEAD) :]:
        content = inside_head(content)
    file.write_text(content + "\n", encoding="utf-8")
    return read_study(file)


def inside_head(content: str) -> str:
    """Put a key of [study] or [data] into the table that the head has opened already."""
    table = content.splitlines()[6]
    key = content.splitlines()[7:]
    rest = [line for line in HEAD.splitlines() if line]
    at = rest.index(table) + 1
    return "\n".join([*rest[:at], *key, *rest[at:]])


def beside(sign: str, number: str, *, whole: bool, inside: bool) -> str:
    """Return the permitted or the refused value next to a bound."""
    bound = float(number)
    step = 1 if whole else max(abs(bound), 1.0) * 1e-9
    up = sign.startswith(">") == inside
    at_bound = inside == sign.endswith("=")
    value = bound if at_bound else bound + (step if up else -step)
    return str(int(value)) if whole else repr(float(value))


@pytest.mark.rule("STUDY-02")
@pytest.mark.parametrize(("parameter", "sign", "number"), BOUNDED, ids=identify)
def test_beside_every_bound(tmp_path, parameter, sign, number):
    whole = parameter.kind.startswith("integer")
    key = parameter.key
    inner = beside(sign, number, whole=whole, inside=True)
    if (key, sign) in {("expansion.type[].p0", "<"), ("expansion.type[].p1", ">")}:
        inner = {"<": "0.94", ">": "0.06"}[sign]
    study = read(tmp_path, text(key, inner))
    assert stated(study, key) == float(inner)
    outer = beside(sign, number, whole=whole, inside=False)
    content = text(key, outer)
    with pytest.raises(StudyError) as caught:
        read(tmp_path, content)
    found = {problem.path: problem for problem in caught.value.problems}
    problem = found[place(key)]
    written = (tmp_path / "study.toml").read_text(encoding="utf-8").splitlines()
    assert written[problem.line - 1] == f"{key.rpartition('.')[2]} = {outer}"
    assert problem.file == str(tmp_path / "study.toml")
    assert f"found {outer}" in problem.message


def stated(study: Study, key: str) -> object:
    value: object = study
    for part in key.split("."):
        value = getattr(value, part.removesuffix("[]"))
        value = value[0] if part.endswith("[]") else value
    return value


@pytest.mark.rule("STUDY-08")
def test_the_words_name_every_numeric_bound_of_the_schema():
    """pydantic writes its own JSON schema of the same tables; both must give the same numbers."""
    schema = Study.model_json_schema()
    for parameter in ALONE:
        node = schema
        for part in parameter.key.split("."):
            node = below(schema, node, part.removesuffix("[]"))
        own = next((n for n in node.get("anyOf", [node]) if n.get("type") in ("number", "integer")), {})
        names = {">=": "minimum", ">": "exclusiveMinimum", "<=": "maximum", "<": "exclusiveMaximum"}
        bounds = {sign: float(own[name]) for sign, name in names.items() if name in own}
        words = {sign: float(number) for sign, number in BOUND.findall(parameter.kind)}
        assert words == bounds, parameter.key


def below(schema, node, part):
    node = resolved(schema, node)
    return resolved(schema, node["properties"][part])


def resolved(schema, node):
    while "$ref" in node or "items" in node or "allOf" in node:
        node = node.get("items") or (node.get("allOf") or [node])[0]
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
    if "anyOf" in node:
        tables = [n for n in node["anyOf"] if "items" in n and "$ref" in n["items"]]
        return resolved(schema, tables[0]) if tables else node
    return node


CHOICES = [p for p in parameters() if p.kind.startswith('"') and " or " not in p.kind]
NEEDS = {
    ("dose.mtd_rule", "esc_only"): "last_titration_level = 0",
    ("therapeutic_index.rule", "threshold"): "ti_tox_max = 0.3\nti_prob_tox = 0.9\nti_orr_min = 0.2\n"
    "ti_prob_orr = 0.9\nti_completion_min = 0.8",
    ("tte.gap_rule", "visits"): "schedule_weeks = [8]",
}


@pytest.mark.rule("STUDY-02")
@pytest.mark.parametrize("parameter", CHOICES, ids=identify)
def test_every_choice_is_accepted_and_no_other(tmp_path, parameter):
    key = parameter.key
    choices = re.findall(r'"([^"]*)"', parameter.kind)
    assert choices
    for choice in choices:
        value = f'"{choice}"'.replace("\t", "\\t")
        more = NEEDS.get((key, choice), "")
        content = f"{text(key, value)}\n{more}"
        if key == "subgroups[].kind" and choice in ("nominal", "flag"):
            content = content.replace("cuts = [5]\n", "")
        assert stated(read(tmp_path, content), key) == choice
    for wrong in ('"other_word"', "1", f'"{choices[0]} "', f'"{choices[0].swapcase()}"'):
        if wrong.strip('"') in choices:
            continue
        with pytest.raises(StudyError) as caught:
            read(tmp_path, text(key, wrong))
        problem = next(p for p in caught.value.problems if p.path == place(key))
        assert all(repr(c) in problem.message for c in choices)
        assert problem.line


@pytest.mark.rule("STUDY-02")
@pytest.mark.parametrize("parameter", [p for p in parameters() if p.kind == "true or false"], ids=identify)
def test_only_true_and_false_are_true_or_false(tmp_path, parameter):
    for wrong in ("0", "1", '"true"', "[true]"):
        with pytest.raises(StudyError) as caught:
            read(tmp_path, text(parameter.key, wrong))
        problem = next(p for p in caught.value.problems if p.path == place(parameter.key))
        assert problem.message.startswith("expected true or false, found ")


@pytest.mark.rule("STUDY-02")
@pytest.mark.parametrize("parameter", ALONE, ids=identify)
def test_no_number_is_made_of_a_text_a_truth_or_a_list(tmp_path, parameter):
    wrong = ['"3"', "true", "[3]", "nan", "-inf"]
    for value in (
        [*wrong, "2.5"] if parameter.kind.startswith("integer") and "or" not in parameter.kind else wrong
    ):
        with pytest.raises(StudyError) as caught:
            read(tmp_path, text(parameter.key, value))
        assert place(parameter.key) in {problem.path for problem in caught.value.problems}, value


REQUIRED_KEYS = [p.key for p in parameters() if p.default is REQUIRED and "[]" in p.key]


@pytest.mark.rule("STUDY-02")
@pytest.mark.parametrize("key", [k for k in REQUIRED_KEYS if k.rpartition(".")[0].removesuffix("[]") in ROWS])
def test_a_required_key_of_a_row_is_missed_at_the_line_of_the_row(tmp_path, key):
    table, _, name = key.rpartition(".")
    array = table.removesuffix("[]")
    row = "\n".join(f"{k} = {v}" for k, v in ROWS[array].items() if k != name)
    with pytest.raises(StudyError) as caught:
        read_study(written(tmp_path, f"{HEAD}[[{array}]]\n{row}\n"))
    problem = next(p for p in caught.value.problems if p.path == place(key))
    assert (problem.message, problem.line) == ("required, but absent", 7)


def written(folder: Path, content: str) -> Path:
    file = folder / "study.toml"
    file.write_text(content, encoding="utf-8")
    return file


@pytest.mark.rule("STUDY-02")
@pytest.mark.parametrize(
    ("table", "line", "good"),
    [
        (
            "dose",
            'overrun_max_rate = "{}"',
            {"1/3": True, "49/99": True, "1/2": False, "0/3": False, "1/": False},
        ),
        ("dose", 'tox_limit = "{}"', {"1/3": True, "99/100": True, "1/1": False, "4/3": False, "0.3": False}),
        ("dose", "tox_limit = {}", {"0.3": True, "0.0": False, "1.0": False}),
        (
            "dose",
            "levels = [{}]",
            {"1": True, "1, 2": True, "0": False, "2, 2": False, "": False, "2, 1": False},
        ),
        ("dose", "levels = {}", {str(list(range(1, 13))): True, str(list(range(1, 14))): False}),
        ("dose", "start_level = {}", {"4": True, "5": False, "0": False}),
        ("dose", "n_max = {}", {"3": True, '"none"': True, "2": False, '"all"': False}),
        ("kinetics", "phase_break_day = {}", {"0.5": True, '"fitted"': True, "0": False, '"auto"': False}),
        ("kinetics", "smith_limits = [{}]", {"0.5, 2": True, "1, 1": False, "1": False, "1, 2, 3": False}),
        ("report", "workers = {}", {"1": True, '"auto"': True, "0": False}),
        ("pdf", "standards = {}", {'["ua-1", "a-3a"]': True, '["a-2a"]': False, '["ua-1", "ua-1"]': False}),
        (
            "change",
            "order = {}",
            {'["new_data", "code", "parameter", "correction"]': True, '["code"]': False},
        ),
        (
            "benefit_risk",
            "prior_cells = {}",
            {"[0.25, 0.25, 0.25, 0.25]": True, "[0.25, 0.25, 0.25, 0.26]": False},
        ),
        (
            "benefit_risk",
            "utility = {}",
            {"[100, 60, 40, 0]": True, "[100, 60, 40, 1]": False, "[100, 0]": False},
        ),
        ("safety", "teae_end_days = {}", {"0": True, '"none"': True, "-1": False}),
        ("eligibility", "age = {}", {"[18, 75]": True, "[75, 75]": False, "[18]": False}),
        ("study", "seed = {}", {"0": True, "-1": False, "1.0": False}),
        ("data", "extract_time = {}", {"2026-03-04T12:00:00+08:00": True, "2026-03-04T12:00:00": False}),
    ],
)
def test_values_of_more_than_one_form(tmp_path, table, line, good):
    for value, accepted in good.items():
        content = f"{HEAD}[{table}]\n{line.format(value)}"
        if accepted:
            read(tmp_path, content)
            continue
        with pytest.raises(StudyError) as caught:
            read(tmp_path, content)
        assert all(p.path.split(".")[0] == table and p.line for p in caught.value.problems), value
