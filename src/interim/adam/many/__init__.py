"""Many participants at once: best response and progression-free survival on arrays, by the rules of the one derivation."""

from interim.adam.many.derive import derive_many

__all__ = ["derive_many"]
