"""Shipped lists and meanings are complete; doses, columns, roles and the extract follow the study file."""

from __future__ import annotations

from datetime import datetime

import pytest

from interim.study import dose_text, read_study
from interim.study.dosing import DltRule
from interim.study.keys import parameters
from interim.study.tables import Product, freeze, shipped

HEAD = '[study]\nid = "X"\n[data]\npath = "raw"\ncut_date = 2026-01-31\n'
ROW = '[[products]]\nid = "{0}"\nrole = "{1}"\nextrt = ["{0}"]\n'
LISTS = ["baseline_variables", "dlt_rules", "products"]


def study(folder, text):
    file = folder / "study.toml"
    file.write_text(text, encoding="utf-8")
    return read_study(file)


@pytest.mark.parametrize("name", LISTS)
def test_a_shipped_list_has_rows_with_names_of_their_own(name):
    rows = shipped(name)
    names = [row.get("id", row.get("name")) for row in rows]
    assert rows and None not in names and len(set(names)) == len(names)
    assert not any(isinstance(value, list) for row in rows for value in row.values())


@pytest.mark.parametrize("row", shipped("baseline_variables"), ids=lambda row: row["name"])
def test_a_baseline_variable_has_a_label_and_ordered_limits(row):
    assert row["label"] and row["name"].isupper()
    assert row.get("min", float("-inf")) < row.get("max", float("inf"))


@pytest.mark.parametrize("row", shipped("dlt_rules"), ids=lambda row: row["id"])
def test_a_shipped_rule_is_legal_and_has_conditions(row):
    rule = DltRule.model_validate(row)
    assert rule.text and rule.all
    assert {condition.op for condition in rule.all} <= {
        "==",
        "!=",
        ">",
        ">=",
        "<",
        "<=",
        "in",
        "not in",
        "between",
    }


@pytest.mark.parametrize("row", shipped("products"), ids=lambda row: row["id"])
def test_a_shipped_product_is_legal(row):
    assert Product.model_validate(row).role in {"nk", "t", "other"}


def test_an_unknown_list_is_refused():
    with pytest.raises(KeyError, match="no_such_list"):
        shipped("no_such_list")


@pytest.mark.parametrize(
    ("value", "frozen"),
    [
        (3, 3),
        ("ab", "ab"),
        ([], ()),
        ([1, [2, 3]], (1, (2, 3))),
        ({"a": [1]}, {"a": (1,)}),
        ({"a": {"b": [{"c": [1]}]}}, {"a": {"b": ({"c": (1,)},)}}),
        ((1, [2]), (1, (2,))),
    ],
)
def test_lists_become_tuples_at_every_depth(value, frozen):
    assert freeze(value) == frozen


@pytest.mark.parametrize("parameter", parameters(), ids=lambda parameter: parameter.key)
def test_every_parameter_has_a_meaning_in_one_line(parameter):
    assert parameter.meaning.strip() == parameter.meaning != ""
    assert "\n" not in parameter.meaning


def test_parameters_are_listed_once():
    keys = [parameter.key for parameter in parameters()]
    assert len(set(keys)) == len(keys) > 100


@pytest.mark.parametrize(
    ("dose", "text"),
    [
        (1.0, "1e0"),
        (5.0, "5e0"),
        (10.0, "1e1"),
        (0.5, "5e-1"),
        (0.00025, "2.5e-4"),
        (1e6, "1e6"),
        (3e7, "3e7"),
        (1.5e7, "1.5e7"),
        (1.25e8, "1.25e8"),
        (100000000.0, "1e8"),
        (9.99e9, "9.99e9"),
        (1e10, "1e10"),
        (120e10, "1.2e12"),
        (3.3e6, "3.3e6"),
    ],
)
def test_doses_are_printed_in_the_shortest_form(dose, text):
    assert dose_text(dose) == text
    assert float(text) == dose


NK, CART, OTHER = ROW.format("NKP", "nk"), ROW.format("TP", "t"), ROW.format("OP", "other")


@pytest.mark.parametrize(
    ("products", "levels", "columns"),
    [
        (NK + CART, "[1e6, 3e6]", {"DL1": "DL1 1e6", "DL2": "DL2 3e6", "NK only": "NK only"}),
        (CART + NK, "[1.5e7]", {"DL1": "DL1 1.5e7", "NK only": "NK only"}),
        (CART, "[1e6, 3e6]", {"DL1": "DL1 1e6", "DL2": "DL2 3e6"}),
        (NK, "[5.0]", {"DL1": "DL1 5e0"}),
        (OTHER, "[1.0, 2.0, 4.0]", {"DL1": "DL1 1e0", "DL2": "DL2 2e0", "DL3": "DL3 4e0"}),
        (NK + OTHER, "[1.0]", {"DL1": "DL1 1e0"}),
    ],
)
def test_columns_are_the_dose_levels_and_those_with_the_first_product_only(
    tmp_path, products, levels, columns
):
    found = study(tmp_path, f"{HEAD}{products}[dose]\nlevels = {levels}\n").cohorts()
    assert list(found.items()) == list(columns.items())


@pytest.mark.parametrize("labels", [{"B": "High", "A": "Low"}, {"Pbo": "Placebo"}, {"1": "One", "0": "None"}])
def test_columns_of_a_variable_keep_the_order_of_the_file(tmp_path, labels):
    rows = "".join(f'"{code}" = "{label}"\n' for code, label in labels.items())
    found = study(tmp_path, f'{HEAD}[cohort]\nvariable = "ARMCD"\n[cohort.labels]\n{rows}').cohorts()
    assert list(found.items()) == list(labels.items())


@pytest.mark.parametrize(
    ("products", "role", "ids"),
    [
        (NK + CART + OTHER, "nk", ["NKP"]),
        (NK + CART + OTHER, "t", ["TP"]),
        (NK + CART + OTHER, "other", ["OP"]),
        (OTHER + OTHER.replace("OP", "Q"), "other", ["OP", "Q"]),
        (OTHER.replace("OP", "Q") + OTHER, "other", ["Q", "OP"]),
        (CART, "nk", []),
    ],
)
def test_products_with_a_role_keep_the_order_of_the_file(tmp_path, products, role, ids):
    assert [product.id for product in study(tmp_path, HEAD + products).with_role(role)] == ids


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ("", ["NKP", "TP", "OP"]),
        ('["TP"]', ["TP"]),
        ('["OP", "NKP"]', ["NKP", "OP"]),
        ('["OP", "TP", "NKP"]', ["NKP", "TP", "OP"]),
    ],
)
def test_the_products_that_make_a_participant_treated(tmp_path, wanted, ids):
    sets = f"[sets]\ntreated_products = {wanted}\n" if wanted else ""
    assert [product.id for product in study(tmp_path, HEAD + NK + CART + OTHER + sets).treated()] == ids


@pytest.mark.parametrize(
    ("cut", "extract", "limit"),
    [
        ("2026-01-31", "", datetime(2026, 2, 1, 23, 59, 59)),
        ("2024-02-28", "", datetime(2024, 2, 29, 23, 59, 59)),
        ("2025-12-31", "", datetime(2026, 1, 1, 23, 59, 59)),
        ("2026-01-31T12:00:00", "", datetime(2026, 2, 1, 12)),
        ("2026-01-31", "2026-02-03T08:30:00+00:00", datetime(2026, 2, 3, 8, 30)),
        ("2026-01-31", "2026-02-03T08:30:00-05:00", datetime(2026, 2, 3, 8, 30)),
    ],
)
def test_the_last_instant_of_a_record(tmp_path, cut, extract, limit):
    text = HEAD.replace("2026-01-31", cut) + (f"extract_time = {extract}\n" if extract else "")
    assert study(tmp_path, text).extract_limit == limit


def test_the_digest_moves_with_a_parameter_and_not_with_the_layout(tmp_path):
    plain = study(tmp_path, HEAD + "[dose]\nwindow_days = 21\n").digest()
    assert plain == study(tmp_path, HEAD + "\n# a remark\n[dose]\nwindow_days  =  21\n").digest()
    assert plain != study(tmp_path, HEAD + "[dose]\nwindow_days = 22\n").digest()
    assert len(plain) == 64 and set(plain) <= set("0123456789abcdef")
