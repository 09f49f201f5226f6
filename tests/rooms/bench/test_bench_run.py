"""The whole benchmark runs at a tiny size, each measurement in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

pytestmark = pytest.mark.slow  # the quick loop has the worked examples
ROOT = Path(__file__).parents[3]


@pytest.fixture(name="scratch")
def scratch_fixture() -> Iterator[Path]:
    """A folder that PostgreSQL reaches too, which runs as another user where we are root, unlike those of pytest."""
    with TemporaryDirectory(prefix="apportion-bench-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_smoke(scratch: Path) -> None:
    pytest.importorskip("polars")
    page = ROOT / "docs" / "reference" / "performance.md"
    before = page.read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--rows", "20000", "--rules", "100"],
        cwd=ROOT,
        env={**os.environ, "APPORTION_BENCH_DATA": str(scratch)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr[-500:] if done.returncode else "") == (0, "")
    assert "SQL and Polars gave the same number of charges and the same cost for every rule" in done.stdout
    for what in ("Floor", "Ingest of Parquet", "`explain` of the largest line", "deciding, patterns included"):
        assert what in done.stdout
    assert page.read_bytes() == before


def test_a_failure_says_why() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from bench.process import *; measure(task('floor', cows=1))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "MeasurementFailedError: floor {'cows': 1}" in done.stderr
    assert "unexpected keyword argument 'cows'" in done.stderr
