"""What acts are tried with: the world that journals are pushed in, made once for all modules that ask for it."""

from __future__ import annotations

from tests.push_world import world_fixture

__all__ = ["world_fixture"]
