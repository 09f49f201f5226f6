"""The journals of the accounting examples before three judges: hledger, beancount, and our own exact check.

The first two let a residue below a minor unit pass, which is shown here too; so the third adds up the text of the
machine file as exact fractions.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from apportion.ledger.auditor import audit
from apportion.post.formats import beancount, csv_text, hledger, json_text
from apportion.post.journal import Journal
from tests.examples.accounting import every_journal

JOURNALS = every_journal()
BEANCOUNT = shutil.which("bean-check", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
HLEDGER = shutil.which("hledger")

with_hledger = pytest.mark.skipif(HLEDGER is None, reason="hledger is not installed (apt-get install hledger)")
with_beancount = pytest.mark.skipif(BEANCOUNT is None, reason="bean-check is not installed (apt-get install beancount)")


def judged(*command: str | None) -> subprocess.CompletedProcess[str]:
    words = [each for each in command if each]
    return subprocess.run(words, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"})


def by_hledger(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = folder / "judged.hledger"
    path.write_text(text, encoding="utf-8")
    return judged(HLEDGER, "-f", str(path), "check", "--strict")


def by_beancount(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = folder / "judged.beancount"
    path.write_text(text, encoding="utf-8")
    return judged(BEANCOUNT, "--no-cache", str(path))


def exact_sums(lines: str) -> dict[tuple[str, ...], Fraction]:
    """Our own judge: the sums of each entry, company and currency (and own currency) of a machine file's text."""
    sums: dict[tuple[str, ...], Fraction] = {}
    for row in csv.DictReader(io.StringIO(lines, newline="")):
        key = (row["entry"], row["company"], row["currency"])
        sums[key] = sums.get(key, Fraction(0)) + Fraction(row["amount"])
        if row["local_currency"]:
            own = (*key[:2], f"own {row['local_currency']}")
            sums[own] = sums.get(own, Fraction(0)) + Fraction(row["local_amount"])
    return sums


@pytest.mark.parametrize("name", JOURNALS)
def test_our_own_exact_check(name: str) -> None:
    made = JOURNALS[name]
    found = exact_sums(csv_text.render(made).lines)
    assert set(found.values()) <= {Fraction(0)}
    assert len({key[0] for key in found}) == len(made.entries)
    assert audit(made.entries) == ()


@pytest.mark.parametrize("name", JOURNALS)
def test_every_text_is_read_back(name: str) -> None:
    made = JOURNALS[name]
    for module in (hledger, beancount, json_text):
        assert module.parse(module.render(made)) == made
    assert csv_text.parse(csv_text.render(made)) == made


@pytest.mark.slow
@with_hledger
@pytest.mark.parametrize("name", JOURNALS)
def test_hledger_accepts_it(name: str, tmp_path: Path) -> None:
    done = by_hledger(hledger.render(JOURNALS[name]), tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
@with_beancount
@pytest.mark.parametrize("name", JOURNALS)
def test_beancount_accepts_it(name: str, tmp_path: Path) -> None:
    done = by_beancount(beancount.render(JOURNALS[name]), tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def cent_off(text: str, amount: str) -> str:
    """The text with one amount a minor unit higher, or the tests above prove nothing."""
    assert amount in text
    return text.replace(amount, f"{amount[:-1]}{int(amount[-1]) + 1}", 1)


def residue(text: str) -> str:
    """One amount with a digit more than its currency has: 33.334 where 33.33 was."""
    return text.replace("5123.71", "5123.714", 1)


@pytest.mark.slow
@with_hledger
@with_beancount
def test_each_judge_sees_a_cent_and_only_ours_sees_less(tmp_path: Path) -> None:
    made = JOURNALS["B"]
    texts = (hledger.render(made), beancount.render(made))
    assert by_hledger(cent_off(texts[0], "5123.71"), tmp_path).returncode != 0
    assert by_beancount(cent_off(texts[1], "5123.71"), tmp_path).returncode != 0
    assert by_hledger(residue(texts[0]), tmp_path).returncode == 0
    assert by_beancount(residue(texts[1]), tmp_path).returncode == 0
    lines = csv_text.render(made).lines
    assert set(exact_sums(cent_off(lines, "5123.71")).values()) == {Fraction(1, 100)}
    assert set(exact_sums(residue(lines)).values()) == {Fraction(4, 1000)}


def test_own_amounts_are_judged_too() -> None:
    """A foreign invoice whose own amounts are a cent off is out of balance there, and only there."""
    made: Journal = JOURNALS["H"]
    lines = csv_text.render(made).lines
    wrong = exact_sums(lines.replace("-10185.19", "-10185.20", 1))
    assert {key[2]: amount for key, amount in wrong.items() if amount} == {"own EUR": Fraction(-1, 100)}
