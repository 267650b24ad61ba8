"""Readings of the nine ambiguities: what each sets, contradictions, own readings, and the digest of the parameters."""

from __future__ import annotations

import itertools
import json
from functools import cache
from pathlib import Path

import pytest

from interim.errors import StudyError
from interim.study import Study, read_study
from interim.study.ambiguity import OWN, apply_readings, permitted, register
from interim.study.keys import parameters
from interim.study.reread import with_readings
from interim.study.tables import freeze

HEAD = '[study]\nid = "X"\n[data]\npath = "d"\ncut_date = 2026-01-01\n'
INDEX = "[therapeutic_index]\n" + "\n".join(
    f"{name} = 0.5"
    for name in ("ti_tox_max", "ti_prob_tox", "ti_orr_min", "ti_prob_orr", "ti_completion_min")
)
# What the register of the specification says, written down here a second time.
SETS = {
    ("AMB-1", "A"): {"dose.last_titration_level": "all"},
    ("AMB-1", "B"): {"dose.last_titration_level": 1},
    ("AMB-3", "A"): {"dose.window_includes_nk_phase": False, "dose.window_anchor": "c1_last_infusion"},
    ("AMB-3", "B"): {"dose.window_includes_nk_phase": True, "dose.window_anchor": "c1_last_infusion"},
    ("AMB-3", "C"): {"dose.window_includes_nk_phase": False, "dose.window_anchor": "c2_last_infusion"},
    ("AMB-3", "D"): {"dose.window_includes_nk_phase": True, "dose.window_anchor": "c2_last_infusion"},
    ("AMB-4", "A"): {"dose.dose_unit_basis": "per_infusion"},
    ("AMB-4", "B"): {"dose.dose_unit_basis": "per_cycle"},
    ("AMB-5", "A"): {"therapeutic_index.rule": "investigator_event"},
    ("AMB-5", "B"): {"therapeutic_index.rule": "threshold"},
    ("AMB-6", "A"): {"titration_trigger.crs_scale": "ctcae5"},
    ("AMB-6", "B"): {"titration_trigger.crs_scale": "astct2019"},
    ("AMB-6", "C"): {"titration_trigger.crs_scale": "either"},
    ("AMB-7", "A"): {"subgroup.ratio_numerator": "NEUT"},
    ("AMB-7", "B"): {"subgroup.ratio_numerator": "GRAN"},
    **{
        ("AMB-8", letter): {"sets.efficacy_default": efficacy, "estimand.nk_source_switch": switch}
        for letter, efficacy, switch in (
            ("A", "FAS", "treatment_policy"),
            ("B", "CART-SAF", "treatment_policy"),
            ("C", "FAS", "while_on_first_source"),
            ("D", "FAS", "composite"),
        )
    },
    **{
        ("AMB-9", letter): {"expansion.design": design}
        for letter, design in zip(
            "ABCDE", ("simon_9_17", "fixed_9", "fixed_18", "bayes_monitor", "hierarchical"), strict=True
        )
    },
    **{
        ("AMB-2", letter): {
            "titration_trigger.related_ae_min_grade": grade,
            "titration_trigger.related_to": related,
            "titration_trigger.phases": phases,
        }
        for letter, grade, related, phases in (
            ("A", 2, ("CARNK", "CART"), ("NK", "CART_C1", "CART_C2")),
            ("B", 1, ("CARNK", "CART"), ("NK", "CART_C1", "CART_C2")),
            ("C", 2, ("CARNK", "CART", "HAI_PROCEDURE"), ("NK", "CART_C1", "CART_C2")),
            ("D", 2, ("CART",), ("NK", "CART_C1", "CART_C2")),
            ("E", 2, ("CARNK", "CART"), ("CART_C1", "CART_C2")),
        )
    },
}
EVERY = sorted(SETS)


def write(folder: Path, text: str, name: str = "study.toml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def reading(folder: Path, more: str = "", **chosen: str) -> Study:
    lines = "".join(f'{amb.replace("_", "-")} = "{letter}"\n' for amb, letter in chosen.items())
    return read_study(write(folder, f"{HEAD}{INDEX}\n{more}\n[ambiguity]\n{lines}"))


def flat(study: Study) -> dict[str, object]:
    """Return every parameter by its path, the readings themselves left out."""
    plain = {k: v for k, v in study.resolved().items() if k != "ambiguity"}
    answer: dict[str, object] = {}
    waiting = [("", plain)]
    while waiting:
        prefix, node = waiting.pop()
        for key, value in node.items():
            if isinstance(value, dict) and value:
                waiting.append((f"{prefix}{key}.", value))
            else:
                answer[prefix + key] = freeze(value)
    return answer


def text_of(value: object) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value)


@cache
def defaults() -> dict[str, object]:
    return {p.key: p.default for p in parameters()}


def test_the_register_holds_these_readings_and_no_other():
    found = {
        (amb, letter) for amb, entry in register().items() for letter in permitted(entry) if letter != OWN
    }
    assert found == set(SETS)
    assert list(register()) == [f"AMB-{number}" for number in range(1, 10)]
    assert all(entry["default"] in entry for entry in register().values())
    assert all(permitted(entry)[-1] == OWN for entry in register().values())


@pytest.mark.rule("STUDY-03")
@pytest.mark.parametrize(("amb", "letter"), EVERY)
def test_a_reading_sets_its_parameters_and_no_other(tmp_path, amb, letter):
    before, after = flat(reading(tmp_path)), flat(reading(tmp_path, **{amb: letter}))
    wanted = SETS[amb, letter]
    assert {path: after[path] for path in wanted} == wanted
    assert {path for path in after if after[path] != before[path]} <= set(wanted)


@pytest.mark.rule("STUDY-03")
@pytest.mark.parametrize("amb", sorted({amb for amb, _ in EVERY}))
def test_the_default_reading_sets_the_defaults_of_the_parameters(amb):
    for path, value in SETS[amb, register()[amb]["default"]].items():
        assert freeze(defaults()[path]) == value


@pytest.mark.rule("STUDY-03")
@pytest.mark.parametrize(("amb", "letter"), EVERY)
def test_every_contradiction_is_refused_at_its_line_and_names_both(tmp_path, amb, letter):
    for other in (key for key in EVERY if key[0] == amb):
        for path, value in SETS[other].items():
            table, key = path.split(".")
            more = "" if table == "therapeutic_index" else f"[{table}]"
            content = f'{HEAD}[ambiguity]\n{amb} = "{letter}"\n{INDEX}\n{more}\n{key} = {text_of(value)}\n'
            file = write(tmp_path, content)
            if value == SETS[amb, letter][path]:
                assert flat(read_study(file))[path] == value
                continue
            with pytest.raises(StudyError) as caught:
                read_study(file)
            problem = next(p for p in caught.value.problems if p.path == path)
            assert f"ambiguity.{amb} = '{letter}'" in problem.message
            assert f"state {amb} = 'own'" in problem.message
            assert content.splitlines()[problem.line - 1] == f"{key} = {text_of(value)}"


@pytest.mark.rule("STUDY-03")
def test_a_default_reading_contradicts_too_and_says_that_it_is_the_default(tmp_path):
    content = f'{HEAD}[expansion]\ndesign = "fixed_9"\n'
    with pytest.raises(StudyError, match=r"AMB-9 = 'A' \(the default reading\)"):
        read_study(write(tmp_path, content))
    stated = f'{content}[ambiguity]\nAMB-9 = "B"\n'
    assert read_study(write(tmp_path, stated)).expansion.design == "fixed_9"


@pytest.mark.rule("STUDY-03")
@pytest.mark.parametrize(("amb", "letter"), EVERY)
def test_own_takes_any_value_of_the_study_file(tmp_path, amb, letter):
    tables: dict[str, list[str]] = {}
    for path, value in SETS[amb, letter].items():
        table, key = path.split(".")
        tables.setdefault(table, []).append(f"{key} = {text_of(value)}")
    index = tables.pop("therapeutic_index", [])
    more = "\n".join([*index, *(f"[{t}]\n" + "\n".join(lines) for t, lines in tables.items())])
    study = reading(tmp_path, more, **{amb: OWN})
    values = flat(study)
    assert {path: values[path] for path in SETS[amb, letter]} == SETS[amb, letter]
    chosen = {r.amb: r for r in study.readings}
    assert (chosen[amb].reading, dict(chosen[amb].settings), chosen[amb].confirmed) == (OWN, {}, True)
    assert sum(r.confirmed for r in study.readings) == 1
    assert study.digest() != reading(tmp_path, **{amb: letter}).digest()


@pytest.mark.rule("STUDY-04")
@pytest.mark.parametrize(("amb", "letter"), EVERY)
def test_another_reading_of_a_study_is_the_study_read_with_it(tmp_path, amb, letter):
    base = reading(tmp_path)
    before = base.digest()
    other, read = with_readings(base, {amb: letter}), reading(tmp_path, **{amb: letter})
    assert other.digest() == read.digest()
    assert flat(other) == flat(read)
    assert [(r.amb, r.reading, r.text, r.settings) for r in other.readings] == [
        (r.amb, r.reading, r.text, r.settings) for r in read.readings
    ]
    assert base.digest() == before
    assert with_readings(other, {amb: register()[amb]["default"]}).digest() == before


@pytest.mark.rule("STUDY-04")
def test_all_readings_differ_in_their_digest(tmp_path):
    base = reading(tmp_path)
    digests = {key: with_readings(base, {key[0]: key[1]}).digest() for key in EVERY}
    usual = [key for key in EVERY if register()[key[0]]["default"] == key[1]]
    assert {digests[key] for key in usual} == {base.digest()}
    others = [digests[key] for key in EVERY if key not in usual]
    assert len({*others, base.digest()}) == len(others) + 1


@pytest.mark.rule("STUDY-03")
@pytest.mark.parametrize(
    ("chosen", "word"),
    [
        ({"AMB-0": "A"}, "unknown ambiguity"),
        ({"AMB-4": "C"}, "unknown reading 'C'; permitted here: A, B"),
        ({"AMB-4": OWN}, "permitted here: A, B"),
        ({"AMB-5": "B"}, "ti_tox_max"),
    ],
)
def test_another_reading_that_cannot_be_applied(tmp_path, chosen, word):
    study = read_study(write(tmp_path, HEAD))
    with pytest.raises(StudyError, match=word):
        with_readings(study, chosen)


@pytest.mark.rule("STUDY-03")
@pytest.mark.parametrize("value", ["3", "[1]", '"A"'])
def test_ambiguity_must_be_a_table(tmp_path, value):
    with pytest.raises(StudyError, match="expected a table such as AMB-1") as caught:
        read_study(write(tmp_path, f"ambiguity = {value}\n{HEAD}"))
    assert caught.value.problems[0].line == 1


def test_readings_leave_the_given_parameters_as_they_are():
    raw = {"dose": {"window_days": 14}, "ambiguity": {"AMB-1": "A"}}
    merged, _, problems = apply_readings(raw)
    assert problems == []
    assert raw == {"dose": {"window_days": 14}, "ambiguity": {"AMB-1": "A"}}
    assert merged["dose"]["last_titration_level"] == "all"


PARTS = [
    '[study]\nid = "X"\nseed = 3\n',
    '[data]\npath = "d"\ncut_date = 2026-01-01\n',
    "[dose]\nwindow_days = 21\nn_max = 12\n",
    '[cohort]\nvariable = "ARMCD"\nlabels = { A = "a" }\n',
]


@pytest.mark.rule("STUDY-04")
def test_digest_is_that_of_every_order_of_tables(tmp_path):
    digests = {
        read_study(write(tmp_path, "# note\n".join(order))).digest()
        for order in itertools.permutations(PARTS)
    }
    assert len(digests) == 1
    inline = 'dose = { n_max = 12, window_days = 21 }\ncohort.labels.A = "a"\ncohort.variable = "ARMCD"\n'
    assert read_study(write(tmp_path, inline + PARTS[0] + PARTS[1])).digest() in digests
    stated = "".join(PARTS) + "[stats]\nlevel = 0.95\n[response]\npr_pct = 30\n"
    assert read_study(write(tmp_path, stated)).digest() in digests


@pytest.mark.rule("STUDY-04")
@pytest.mark.parametrize(
    "line",
    [
        "[stats]\nlevel = 0.94",
        "[dose]\nlevels = [1.5e7, 3e7, 5e7, 7.1e7]",
        "[rounding]\nguard_digits = 11",
        '[tte.nact_imputation]\nrule = "last"',
        '[safety]\naesi = ["A"]',
        "[report]\ncache = false",
        "[alt.min_chars]\nen = 41",
    ],
)
def test_any_changed_value_changes_the_digest(tmp_path, line):
    base, other = read_study(write(tmp_path, HEAD)), read_study(write(tmp_path, f"{HEAD}{line}\n"))
    assert base.digest() != other.digest()
    assert len(other.digest()) == 64


@pytest.mark.rule("STUDY-04")
def test_the_digest_of_a_chain_is_that_of_the_joined_file(tmp_path):
    write(tmp_path, f"{HEAD}[dose]\nwindow_days = 21\n", "base.toml")
    chained = read_study(write(tmp_path, 'extends = "base.toml"\n[dose]\nn_max = 12\n'))
    joined = read_study(write(tmp_path, f"{HEAD}[dose]\nwindow_days = 21\nn_max = 12\n", "joined.toml"))
    assert chained.digest() == joined.digest()
