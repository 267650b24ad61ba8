"""The schema against the register of parameters: same keys, same defaults, permitted values enforced."""

from __future__ import annotations

import csv
import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from interim.errors import StudyError
from interim.study import read_study
from interim.study.keys import REQUIRED, parameters

REGISTER = {
    row["key"]: row["default"]
    for row in csv.DictReader(
        (Path(__file__).parent / "register.csv").read_text(encoding="utf-8").splitlines()
    )
}
# Keys of this package beside the register: the printed title, the infusion a planned visit counts from, and the thresholds of the checks (one per rule).
OWN = {"study.title", "schedule.visit[].anchor"}
# Defaults that the register describes in words; what the words mean.
IN_WORDS = {
    "data.cut_event": None,
    "products[].role": REQUIRED,
    "sets.treated_products": None,
    "cohort.variable": None,
    "cohort.labels": {},
    "response.route": "auto",
    "tte.pd_source": "auto",
    "tte.gap_days": 98,
    "tte.nact_imputation": {"rule": "first", "highest": "M"},
    "tte.death_imputation": {"rule": "first", "highest": "D"},
    "safety.ae_start_imputation": {"rule": "first", "highest": "M"},
    "kinetics.auc_method": "lin up/log down",
    "kinetics.auc_min_last_day": None,
    "kinetics.visit_windows": None,
    "stats.rmst_tau": None,
    "subgroup.shrink_mu0": {"orr": 0.10, "dcr": 0.60},
    "expansion.compare_designs": ("simon_9_17", "fixed_9", "fixed_18", "bayes_monitor", "hierarchical"),
    "expansion.type[].design": None,
    "expansion.type[].exnex_weight": None,
    "report.timestamp": None,
    "alt.min_chars": {"en": 40, "zh-CN": 15},
}


def expected(key: str) -> object:
    text = REGISTER[key]
    if key in IN_WORDS:
        return IN_WORDS[key]
    if text in ("required", "absent"):
        return {"required": REQUIRED, "absent": None}[text]
    if text.startswith("["):
        text = re.sub(r"(?<![\"\w.])([A-Za-z][\w/ .-]*)", r'"\1"', text)
    elif not re.fullmatch(r'true|false|-?[\d.]+(e-?\d+)?|".*"|\{\}', text):
        text = f'"{text}"'
    return plain(tomllib.loads(f"x = {text}")["x"])


def plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return plain(value.model_dump())
    if isinstance(value, (list, tuple)):
        return tuple(plain(item) for item in value)
    return value


@pytest.mark.rule("STUDY-09")
def test_the_schema_has_exactly_the_keys_of_the_register():
    keys = {p.key for p in parameters() if not p.key.startswith("checks.")}
    assert keys - OWN == set(REGISTER)


@pytest.mark.rule("STUDY-09")
@pytest.mark.parametrize("key", sorted(set(REGISTER) - {"dose.dlt_rules"}))
def test_default_is_that_of_the_register(key):
    default = next(p.default for p in parameters() if p.key == key)
    assert plain(default) == expected(key)


@pytest.mark.rule("STUDY-09")
def test_every_key_has_a_meaning():
    assert [p.key for p in parameters() if not p.meaning] == []


# One line per bound of the register: the value just outside, and the key that the error must name.
OUTSIDE = [
    ("dose", "start_level = 5", "dose"),
    ("dose", "levels = [3e7, 1.5e7]", "dose.levels"),
    ("dose", "n_max = 2", "dose.n_max"),
    ("dose", "mtd_min_n = 4", "dose.mtd_min_n"),
    ("dose", 'overrun_max_rate = "1/2"', "dose"),
    ("dose", "tox_band = [0.33, 0.16]", "dose.tox_band"),
    ("dose", 'mtd_rule = "deesc_min6_top3"\nexpand_top = true', "dose"),
    ("dose", 'mtd_rule = "esc_only"', "dose"),
    ("titration_trigger", "crs_min_grade = 6", "titration_trigger.crs_min_grade"),
    ("irecist", "icpd_min_days = 60", "irecist"),
    ("tte", 'gap_rule = "visits"', "tte"),
    ("toxicity", "hypotension_sbp = 60", "toxicity.hypotension_sbp"),
    ("kinetics", "lambda_z_min_points = 2", "kinetics.lambda_z_min_points"),
    ("kinetics", "smith_limits = [1.25, 0.8]", "kinetics.smith_limits"),
    ("stats", "level = 1.0", "stats.level"),
    ("subgroup", "min_contrast_n = 2", "subgroup"),
    ("expansion", "nogo_prob = 0.9", "expansion"),
    ("benefit_risk", "prior_cells = [0.1, 0.1, 0.1, 0.1]", "benefit_risk"),
    ("benefit_risk", "utility = [90, 60, 40, 0]", "benefit_risk"),
    ("report", "formats = []", "report.formats"),
    ("report", "timestamp = 2026-03-04T12:00:00", "report"),
    ("pdf", 'standards = ["a-2a", "a-3a"]', "pdf"),
    ("change", 'order = ["code", "code", "new_data", "parameter"]', "change"),
    ("privacy", "small_cell_min = 2", "privacy.small_cell_min"),
    ("eligibility", "age = [75, 18]", "eligibility.age"),
]


def write(folder: Path, text: str) -> Path:
    file = folder / "study.toml"
    file.write_text(
        f'[study]\nid = "X"\n[data]\npath = "d"\ncut_date = 2026-01-01\n{text}\n', encoding="utf-8"
    )
    return file


@pytest.mark.rule("STUDY-02")
@pytest.mark.parametrize(("table", "line", "key"), OUTSIDE)
def test_value_outside_the_permitted_is_refused_and_named(tmp_path, table, line, key):
    with pytest.raises(StudyError) as caught:
        read_study(write(tmp_path, f"[{table}]\n{line}"))
    assert any(problem.path == key and problem.line for problem in caught.value.problems), str(caught.value)


@pytest.mark.rule("STUDY-10")
def test_parts_of_a_named_mtd_rule_follow_the_name(tmp_path):
    study = read_study(write(tmp_path, '[dose]\nmtd_rule = "deesc_min6_top3"'))
    assert (study.dose.deescalate, study.dose.mtd_min_n, study.dose.expand_top) == (True, 6, False)
    custom = read_study(write(tmp_path, '[dose]\nmtd_rule = "custom"\nmtd_min_n = 3'))
    assert (custom.dose.mtd_min_n, custom.dose.expand_top) == (3, True)


@pytest.mark.rule("STUDY-10")
def test_auto_is_the_same_as_leaving_the_key_out(tmp_path):
    study = read_study(write(tmp_path, '[stats]\nrmst_tau = "auto"\n[kinetics]\nauc_min_last_day = "auto"'))
    assert study.stats.rmst_tau is None
    assert study.kinetics.auc_min_last_day is None


TYPE = '[[expansion.type]]\nid = "{id}"\nlabel = "L"\nvalues = ["{value}"]\np0 = 0.05\np1 = 0.25\np0_source = "s"\np1_source = "{source}"\n'


@pytest.mark.rule("STUDY-11")
def test_rates_of_a_tumour_type_need_sources_and_values_stand_once(tmp_path):
    good = read_study(write(tmp_path, TYPE.format(id="other", value="OTHER", source="s")))
    assert good.expansion.type[0].weight == 0.25
    with pytest.raises(StudyError, match="p1_source"):
        read_study(write(tmp_path, TYPE.format(id="crc", value="CRC", source="")))
    twice = TYPE.format(id="a", value="CRC", source="s") + TYPE.format(id="b", value="CRC", source="s")
    with pytest.raises(StudyError, match="used twice: CRC"):
        read_study(write(tmp_path, twice))


@pytest.mark.rule("STUDY-02")
@pytest.mark.parametrize(
    ("condition", "word"),
    [
        ('{ var = "A", op = "missing", value = 1 }', "takes no value"),
        ('{ var = "A", op = "==" }', "needs a value"),
        ('{ var = "A", op = "in", value = 1 }', "do not fit"),
    ],
)
def test_condition_must_make_sense(tmp_path, condition, word):
    with pytest.raises(StudyError, match=word):
        read_study(write(tmp_path, f"[sets]\nper_protocol_rule = [{condition}]"))


@pytest.mark.rule("STUDY-02")
def test_visit_numbers_differ(tmp_path):
    visit = '[[schedule.visit]]\nvisitnum = 1.0\nlabel = "Screening"\nday = -7\n'
    with pytest.raises(StudyError, match="used twice"):
        read_study(write(tmp_path, visit + visit))
