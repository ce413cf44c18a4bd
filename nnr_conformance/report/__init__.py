"""Renderers of reports; they know the report model only."""
