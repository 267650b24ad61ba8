"""Notebooks become documents: the engine that runs them, the content model, the writers."""
