"""The study: everything configurable stands in one TOML file, typed and checked here."""

from __future__ import annotations

from interim.study.ambiguity import Reading
from interim.study.model import NK_ONLY, Study, dose_text
from interim.study.read import read_study
from interim.study.tables import Condition, DltRule, Imputation, Product, SubgroupEntry

__all__ = [
    "NK_ONLY",
    "Condition",
    "DltRule",
    "Imputation",
    "Product",
    "Reading",
    "Study",
    "SubgroupEntry",
    "dose_text",
    "read_study",
]
