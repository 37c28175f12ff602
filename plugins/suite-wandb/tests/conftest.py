"""Runs to export: built by hand, so that every number is known, and real ones."""

from tests.report.conftest import make_run

__all__ = ["make_run"]  # a fixture
