"""The same rules over every interface, against servers that enforce what the makers of the ledgers publish."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from apportion.post.erp.book import PushState
from apportion.post.erp.business_central import BusinessCentralTarget
from apportion.post.erp.connected import Setup
from apportion.post.erp.erpnext import ErpNextTarget
from apportion.post.erp.errors import (
    DiffersError,
    DuplicatePushError,
    NotAuthorisedError,
    TargetBusyError,
    TargetDownError,
    TargetRubbishError,
)
from apportion.post.erp.netsuite import NetSuiteTarget
from apportion.post.erp.oauth import ClientCredentials, Signed
from apportion.post.erp.odoo import OdooTarget
from apportion.post.erp.pace import Pace, Patience
from apportion.post.erp.push import Pusher
from apportion.post.erp.quickbooks import QuickBooksTarget
from apportion.post.erp.read_back import read_back
from apportion.post.erp.rest import Rest
from apportion.post.erp.secret import Secret
from apportion.post.erp.xero import XeroTarget
from tests import (
    erp_server,
    erp_server_business_central,
    erp_server_erpnext,
    erp_server_netsuite,
    erp_server_odoo,
    erp_server_quickbooks,
    erp_server_xero,
    pushing,
)
from tests.cutting import Treat, Way, way
from tests.erp_server import KEY, Ledger
from tests.pushing import entry, journal, posting

pytestmark = pytest.mark.thorough  # each interface once more

MARCH = date(2026, 3, 31)


def _setup(company: str, axis: str, **options: str) -> Setup:
    patience = Patience(Pace(tries=6, first=0.001, longest=0.002, seconds=30))
    return Setup("books", {"1000": company}, {"cost_center": axis}, options, patience=patience)


def _odoo(url: str, key: str) -> Rest:
    return OdooTarget(url, _setup("1", "Cost centre", database="books"), Secret(key))


def _erpnext(url: str, key: str) -> Rest:
    return ErpNextTarget(url, _setup("Nimbus GmbH", "cost_center"), Secret(key))


def _business_central(url: str, key: str) -> Rest:
    given = erp_server_business_central.CLIENT_SECRET if key == KEY else key
    tokens = ClientCredentials(f"{url}/tenant/oauth2/v2.0/token", "client", Secret(given), "scope")
    return BusinessCentralTarget(
        f"{url}/v2.0/tenant/production", _setup("company-1", "COSTCENTER"), Secret(""), tokens=tokens
    )


def _netsuite(url: str, key: str) -> Rest:
    token = erp_server_netsuite.TOKEN if key == KEY else Secret(key)
    signed = Signed("1234567", "consumer", erp_server_netsuite.CONSUMER, "token", token)
    return NetSuiteTarget(url, _setup("1", "department"), Secret(""), signed=signed)


def _xero(url: str, key: str) -> Rest:
    return XeroTarget(url, _setup("tenant-1", "Cost centre"), Secret(key))


def _quickbooks(url: str, key: str) -> Rest:
    return QuickBooksTarget(url, _setup("realm-1", "Class"), Secret(key))


KINDS: dict[str, tuple[Callable[[str, str], Rest], Any]] = {
    "odoo": (_odoo, erp_server_odoo),
    "erpnext": (_erpnext, erp_server_erpnext),
    "business central": (_business_central, erp_server_business_central),
    "netsuite": (_netsuite, erp_server_netsuite),
    "xero": (_xero, erp_server_xero),
    "quickbooks": (_quickbooks, erp_server_quickbooks),
}


@dataclass(frozen=True)
class Side:
    """A ledger, the bad way to it, and a pusher over that way."""

    kind: str
    ledger: Ledger
    way: Way
    run: Pusher
    made: Callable[[str], Rest]

    @property
    def posted(self) -> list[str]:
        """The key of each posted entry."""
        return [each.key[:20] for each in self.ledger.entries if each.posted]

    @property
    def drafts(self) -> int:
        """How many are not posted; an empty journal of Business Central is one too."""
        return sum(not each.posted for each in self.ledger.entries)


@pytest.fixture(name="side", params=list(KINDS))
def side_fixture(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Side]:
    make, dialect = KINDS[request.param]
    ledger = Ledger()
    with erp_server.served(ledger, dialect.dialect, dialect.wrong) as url, way(url) as bad:
        target = make(bad.url, KEY)
        run = pushing.pusher(target, tmp_path / "book", Pace(tries=6, first=0.001, longest=0.002, seconds=30))
        yield Side(request.param, ledger, bad, run, lambda key: make(bad.url, key))


def test_posted_read_back_and_reversed(side: Side) -> None:
    two = journal(entry("A-1"), entry("A-2", posting("600100", "", 1050), posting("140000", "", -1050)))
    report = side.run.push(two).require()
    assert [push.state for push in report.posted] == [PushState.POSTED] * 2
    assert all(push.number for push in report.posted)
    assert (len(side.posted), side.drafts) == (2, 0)
    assert side.run.push(two).already == 2
    back = read_back(side.run, [two], "600199")
    assert back.differences == ()
    assert {row.account: (row.ours, row.held, row.ledger) for row in back.rows} == {
        "140000": (-1050, -1050, -1050),
        "600100": (1001050, 1001050, 1001050),
        "600199": (-1000000, -1000000, -1000000),
    }
    assert side.run.reverse(two, date(2026, 11, 1)).done
    assert (len(side.posted), side.drafts) == (4, 0)
    sums: dict[tuple[str, str], Any] = {}
    for each in side.ledger.entries:
        for line in each.lines:
            sums[line.account, line.center] = sums.get((line.account, line.center), 0) + line.amount
    assert set(sums.values()) == {0}
    assert read_back(side.run, [two], "600199").differences == ()


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
def test_cut_at_every_request_and_run_again(side: Side, when: str) -> None:
    """As if the pusher were killed there: it gives up at the first failure, and the next run completes the work."""
    at_once = Pace(tries=1)
    hasty = replace(side.run.target.setup, patience=Patience(at_once))  # type: ignore[attr-defined]
    once = Pusher(replace(side.run.target, setup=hasty), side.run.book, side.run.books, at_once)  # type: ignore[type-var]
    assert side.run.push(journal(entry("C-0"))).done
    steps = len(side.ledger.requests)
    names = 1
    for step in range(1, steps + 1):
        pushed = journal(entry(f"C-{step}"))
        cut = Treat(forwarded=when == "after", cut=True)
        side.way.again(lambda number, *_, at=step, cut=cut: cut if number == at else Treat())
        try:
            once.push(pushed)
        except TargetDownError:
            side.way.again()
            assert side.run.push(pushed).done
        names += 1
        assert len(set(side.posted)) == len(side.posted) == names
        assert side.drafts == 0


def test_a_storm_of_503_and_429(side: Side) -> None:
    dice = random.Random(11)

    def treat(_number: int, _line: str, _body: bytes) -> Treat:
        thrown = dice.random()
        status = 429 if thrown < 0.1 else 503
        return Treat(forwarded=thrown < 0.15, status=status, body=b"") if thrown < 0.3 else Treat()

    side.way.again(treat)
    # Business Central takes an entry line by line, so that many requests in a row must go well.
    patient = Pusher(side.run.target, side.run.book, side.run.books, Pace(tries=60, first=0.001, longest=0.002))
    assert patient.push(journal(entry("S-1"), entry("S-2"))).done
    assert (len(side.posted), side.drafts) == (2, 0)


def test_refused_lines_and_nothing_kept(side: Side) -> None:
    wrong = entry("R-2", posting("600100", "0099", 500), posting("699999", "0010", -500))
    report = side.run.push(journal(entry("R-1"), wrong))
    assert [(each.entry, each.line) for each in report.rejected] == [("R-2", 1), ("R-2", 2)]
    assert side.ledger.entries == []
    stranger = entry("R-3", posting("600100", "0010", 5, "3000"), posting("600199", "9900", -5, "3000"))
    assert [each.code for each in side.run.push(journal(stranger)).rejected] == ["UNKNOWN_COMPANY"]
    large = entry("R-4", posting("600100", "0010", 10**16), posting("600199", "9900", -(10**16)))
    assert {each.code for each in side.run.push(journal(large)).rejected} == {"TOO_MANY_DIGITS"}
    foreign = entry("R-5", posting("600100", "0010", 5, "1000", "USD"), posting("600199", "9900", -5, "1000", "USD"))
    in_dollars = Pusher(side.run.target, side.run.book, {"1000": "USD"}, side.run.pace)
    assert [each.code for each in in_dollars.push(journal(foreign)).rejected] == ["WRONG_CURRENCY"]
    assert side.ledger.entries == []


@pytest.mark.parametrize("told", [True, False])
def test_a_closed_period(side: Side, told: bool) -> None:
    """Known before anything is sent, or told by the refusal alone."""
    side.ledger.locked_on, side.ledger.told_lock = MARCH, told
    report = side.run.push(journal(entry("P-1", on=MARCH)))
    assert [each.code for each in report.rejected] == ["PERIOD_CLOSED"]
    assert side.ledger.entries == []


def test_not_let_in_and_no_secret_told(side: Side) -> None:
    stranger = Pusher(side.made("a-wrong-secret-key"), side.run.book, side.run.books, side.run.pace)
    with pytest.raises(NotAuthorisedError) as told:
        stranger.push(journal(entry("X-1")))
    assert "a-wrong-secret-key" not in str(told.value)
    assert "a-wrong-secret-key" not in repr(stranger)
    assert side.ledger.entries == []


@pytest.mark.parametrize(
    "rubbish", [b"<html>Sign in</html>", b"{", b"[]", b"[[1]]", b'{"data": 3}', b'{"value": [{}]}', b"", b'"x"', b"NaN"]
)
def test_rubbish(side: Side, rubbish: bytes) -> None:
    side.way.again(lambda *_: Treat(forwarded=False, status=200, body=rubbish))
    with pytest.raises((TargetRubbishError, NotAuthorisedError)):
        side.run.push(journal(entry("G-1")))
    side.way.again()
    assert side.run.push(journal(entry("G-1"))).done
    assert (len(side.posted), side.drafts) == (1, 0)


@pytest.mark.slow
def test_rubbish_for_each_answer_in_turn(side: Side) -> None:
    assert side.run.push(journal(entry("H-0"))).done
    steps = len(side.ledger.requests)
    for step in range(1, steps + 1):
        pushed = journal(entry(f"H-{step}"))
        side.way.again(lambda number, *_, at=step: Treat(body=b'{"oops": true}') if number >= at else Treat())
        # An answer that nobody reads, such as that of a deletion, may be anything.
        with suppress(TargetRubbishError, NotAuthorisedError, DiffersError):
            assert side.run.push(pushed).done
        side.way.again()
        assert side.run.push(pushed).done
    assert (len(set(side.posted)), len(side.posted), side.drafts) == (steps + 1, steps + 1, 0)


def test_redirects_are_not_followed(side: Side) -> None:
    elsewhere = {"Location": "https://elsewhere.example/take?secret=1"}
    side.way.again(lambda *_: Treat(forwarded=False, status=302, headers=elsewhere))
    with pytest.raises(TargetRubbishError, match=r"elsewhere\.example") as told:
        side.run.push(journal(entry("V-1")))
    assert "secret=1" not in str(told.value)


def test_changed_in_the_ledger_is_seen(side: Side) -> None:
    pushed = journal(entry("D-1"))
    assert side.run.push(pushed).done
    line = next(each for each in side.ledger.entries if each.posted).lines[0]
    line.center = "9900"
    with pytest.raises(DiffersError, match=r"600100 / 0010, and 5123\.71 was sent"):
        side.run.push(pushed)
    assert len(read_back(side.run, [pushed], "600199").differences) == 1


# An external id of NetSuite's, or a document number of Business Central's, is one entry.
@pytest.mark.parametrize("side", ["odoo", "erpnext", "xero", "quickbooks"], indirect=True)
def test_twice_in_the_ledger_is_seen(side: Side) -> None:
    pushed = journal(entry("D-2"))
    assert side.run.push(pushed).done
    (first,) = [each for each in side.ledger.entries if each.posted]
    side.ledger.entries.append(replace(first, id=999, number="JE-999"))
    with pytest.raises(DuplicatePushError, match="twice"):
        side.run.push(pushed)


def test_busy_for_ever(side: Side) -> None:
    side.way.again(lambda *_: Treat(forwarded=False, status=503))
    with pytest.raises(TargetBusyError):
        side.run.push(journal(entry("B-1")))
