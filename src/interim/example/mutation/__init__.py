"""Mutation of the example study: whether planted defects reach their checks, and damaged cells a table unseen."""

from interim.example.mutation.cells import CellReport, damage_cells
from interim.example.mutation.examine import Examiner
from interim.example.mutation.page import Score, score_page
from interim.example.mutation.score import Pair, Single, score_pairs, score_singles

__all__ = [
    "CellReport",
    "Examiner",
    "Pair",
    "Score",
    "Single",
    "damage_cells",
    "score_page",
    "score_pairs",
    "score_singles",
]
