"""Laboratory grades by CTCAE: the criteria are data files, this package interprets them."""

from __future__ import annotations

from interim.adam.ctcae.book import Criteria, CriteriaBook, Direction, Rule, criteria_book, criteria_book_of
from interim.adam.ctcae.grade import LabValue, grade_one, grade_values, significant

__all__ = [
    "Criteria",
    "CriteriaBook",
    "Direction",
    "LabValue",
    "Rule",
    "criteria_book",
    "criteria_book_of",
    "grade_one",
    "grade_values",
    "significant",
]
