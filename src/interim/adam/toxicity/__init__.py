"""Immune toxicity: grading rules as functions of plain values, and the episodes that are made from records."""
