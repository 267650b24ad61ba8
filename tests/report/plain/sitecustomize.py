"""Lets a plain kernel work on the hand-made study: first on the path of a test's subprocess, nowhere else."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import handmade

from interim.report import chapter

chapter.open_inputs = handmade.open_inputs
