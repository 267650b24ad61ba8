"""What documents of the package hold beyond the notebooks: one module per document, functions ``(Made) -> blocks``."""
