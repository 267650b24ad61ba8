"""The practice room: a synthetic study that looks like NCT07021534 at its interim analysis, from a seed."""

from interim.example.build import make_study
from interim.example.write import write_study

__all__ = ["make_study", "write_study"]
