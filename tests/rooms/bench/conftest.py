"""A very small bill, made once."""

from pathlib import Path

import pytest

from bench import data


@pytest.fixture(scope="session")
def bill(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One Parquet file of 4,000 charges of 800 resources."""
    (path,) = data.parquet(4_000, directory=tmp_path_factory.mktemp("bill"), resources=800)
    return path
