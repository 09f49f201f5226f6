"""The parts under the rules of pushing: keys, the book, documents, waits, secrets, the one HTTP client, the folder."""

from __future__ import annotations

import json
import os
import shutil
import ssl
from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apportion.errors import InputRefusedError, StorageError
from apportion.ledger.entry import Entry, Posting
from apportion.ledger.local import Local
from apportion.post.erp.book import FilePushBook, PushState, Slot, key_of
from apportion.post.erp.calling import Caller, Limits, Number, json_text, minor
from apportion.post.erp.document import documents
from apportion.post.erp.errors import (
    DuplicatePushError,
    RejectedError,
    TargetBusyError,
    TargetDownError,
    TargetRubbishError,
    TargetSilentError,
)
from apportion.post.erp.folder import FolderTarget
from apportion.post.erp.oauth import signature
from apportion.post.erp.pace import Pace
from apportion.post.erp.push import Pusher
from apportion.post.erp.secret import Secret, secret
from apportion.post.erp.sftp import SftpTarget
from tests import erp_server
from tests.cutting import Treat, way
from tests.erp_server import Ledger
from tests.pushing import LAST_DAY, Clock, between, entry, journal, posting

SLOT = Slot("books", "E-1", "1000")


def test_a_key_is_short_and_the_same_for_ever() -> None:
    assert key_of(SLOT, 1) == "AP7CGNDPVRA6SPLACABM"
    assert len({key_of(SLOT, 1), key_of(SLOT, 2), key_of(Slot("other", "E-1", "1000"), 1)}) == 3


def test_the_book_keeps_what_was_reserved_and_refuses_other_content(tmp_path: Path) -> None:
    path = tmp_path / "new" / "book"
    book = FilePushBook(path)
    push = book.reserve(SLOT, "hash")
    assert json.loads(path.read_text("utf-8"))["key"] == push.key  # on the disk before anything is sent
    assert path.stat().st_mode & 0o077 == 0
    assert FilePushBook(path).reserve(SLOT, "hash") == push
    with pytest.raises(DuplicatePushError, match="is on its way with other content"):
        book.reserve(SLOT, "other")
    book.mark(push.key, PushState.POSTED, reference="7", number="JE-7")
    with pytest.raises(DuplicatePushError, match="is in the ledger as JE-7 with other content"):
        FilePushBook(path).reserve(SLOT, "other")
    book.mark(push.key, PushState.REVERSED)
    again = book.reserve(SLOT, "other")
    assert (again.round, again.state) == (2, PushState.RESERVED)
    latest = FilePushBook(path).latest("books", "E-1", "1000")
    assert latest == again
    assert [each.number for each in book.pushes("books")] == ["JE-7", ""]


def test_a_line_that_a_crash_cut_off_never_counted(tmp_path: Path) -> None:
    path = tmp_path / "book"
    first = FilePushBook(path).reserve(SLOT, "hash")
    whole = path.read_bytes()
    for length in range(1, len(whole)):
        path.write_bytes(whole + whole[:length])
        assert FilePushBook(path).pushes("books") == (first,)
        assert path.read_bytes() == whole
    path.write_bytes(b"{}\n" + whole)
    with pytest.raises(StorageError, match="damaged"):
        FilePushBook(path).pushes("books")


def test_only_one_push_for_a_company_at_a_time(tmp_path: Path) -> None:
    one, other = (FilePushBook(tmp_path / "book", patience=0.05) for _ in range(2))
    with one.alone("books", "1000"):
        said = "Another push to books is on its way for company 1000"
        with pytest.raises(TargetBusyError, match=said), other.alone("books", "1000"):
            pass
        with other.alone("books", "2000"):
            pass


def test_a_document_for_each_company_in_its_own_currency() -> None:
    rate = ("0.9", LAST_DAY, "bank")
    made = entry(
        "F-1",
        *(
            Posting("600100", "1000", "0010", "", "USD", 1000, "x", local=Local("EUR", 900, *rate)),
            Posting("600199", "1000", "9900", "", "USD", -1000, "x", local=Local("EUR", -900, *rate)),
        ),
    )
    first, second, third = documents(journal(made, between("F-2")), {"1000": "EUR", "2000": "SEK"})
    assert [(each.company, each.currency) for each in (first, second, third)] == [
        ("1000", "EUR"), ("2000", "SEK"), ("1000", "EUR"),
    ]  # fmt: skip
    assert [(line.amount_minor, line.second) for line in first.lines] == [(900, ("USD", 1000)), (-900, ("USD", -1000))]
    assert [line.number for line in third.lines] == [3, 4]
    with pytest.raises(RejectedError) as told:
        documents(journal(between("F-3")), {"1000": "EUR", "2000": "EUR"})
    assert [(each.line, each.code) for each in told.value.rejections] == [(1, "WRONG_CURRENCY"), (2, "WRONG_CURRENCY")]


amounts = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["", "1", "2"]), st.integers(-99, 99)), min_size=1)


@given(amounts)
def test_lines_of_one_place_are_one_line_and_sums_stay(parts: list[tuple[str, str, int]]) -> None:
    lines = [posting(account, center, minor) for account, center, minor in parts]
    total = sum(line.amount_minor for line in lines)
    made = journal(entry("L-1", *lines, posting("c", "", -total), posting("d", "", 1), posting("e", "", -1)))
    (each,), (together,) = documents(made, {}), documents(made, {}, together=True)
    assert together.sums(["cost_center"]) == each.sums(["cost_center"])
    places = [(line.account, line.cost_center) for line in together.lines]
    assert len(set(places)) == len(places)
    assert all(line.amount_minor for line in together.lines)
    assert sum(line.amount_minor for line in together.lines) == 0


def test_waits_double_and_end() -> None:
    clock = Clock()

    def busy() -> None:
        raise TargetBusyError("busy", after=3 if clock.now < 5 else 0)

    with pytest.raises(TargetBusyError):
        Pace(tries=6, first=1, longest=8).patiently(clock, busy)
    assert clock.slept == [3, 3, 4, 8, 8]

    def long() -> None:
        raise TargetBusyError("busy", after=1000)

    clock.slept.clear()
    with pytest.raises(TargetBusyError):
        Pace().patiently(clock, long)
    assert clock.slept == []


def test_what_a_refusal_ends_at_once() -> None:
    clock = Clock()

    def refused() -> None:
        raise InputRefusedError("no")

    with pytest.raises(InputRefusedError):
        Pace().patiently(clock, refused)
    assert clock.slept == []


def test_a_secret_is_in_the_environment_or_in_a_file_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LEDGER_KEY", raising=False)
    path = tmp_path / "key"
    with pytest.raises(InputRefusedError, match="is not set"):
        secret("LEDGER_KEY")
    with pytest.raises(InputRefusedError, match="cannot be read"):
        secret("LEDGER_KEY", "key", tmp_path)
    path.write_text("of-the-file\nsecond line\n", encoding="utf-8")
    for mode in (0o640, 0o604, 0o620, 0o666):
        path.chmod(mode)
        with pytest.raises(InputRefusedError, match=f"{mode:03o}") as told:
            secret("LEDGER_KEY", "key", tmp_path)
        assert "chmod 600 key" in told.value.advice
        assert "of-the-file" not in str(told.value)
    path.chmod(0o600)
    found = secret("LEDGER_KEY", "key", tmp_path)
    assert found.text == "of-the-file"
    assert "of-the-file" not in f"{found} {found!r}"
    monkeypatch.setenv("LEDGER_KEY", "of-the-environment")
    assert secret("LEDGER_KEY", "key", tmp_path).text == "of-the-environment"
    monkeypatch.delenv("LEDGER_KEY")
    for content in (b"", b"\n", b"\xff\n", b"a\x00b\n", b"x" * 20_000):
        path.write_bytes(content)
        with pytest.raises(InputRefusedError, match="does not begin with a line"):
            secret("LEDGER_KEY", "key", tmp_path)
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(InputRefusedError, match="not in a plain file"):
        secret("LEDGER_KEY", "pipe", tmp_path)


@pytest.mark.parametrize(
    "url",
    [
        "http://ledger.example",
        "ftp://127.0.0.1",
        "https://user:hushhush@ledger.example",
        "https://x?key=1",
        "https://",
        "",
    ],
)
def test_addresses_that_nothing_is_sent_to(url: str) -> None:
    with pytest.raises(InputRefusedError) as told:
        Caller(url, "Ledger")
    assert "hushhush" not in str(told.value)


def test_numbers_are_exact_in_both_directions() -> None:
    assert json_text({"a": Number("0.10"), "b": [1, True, None, 'ü"']}) == '{"a":0.10,"b":[1,true,null,"ü\\""]}'
    with pytest.raises(TypeError):
        json_text({"a": 0.1})
    assert [minor(value, "EUR") for value in (Decimal("0.10"), 5, "7.01", Decimal("-1E+1"))] == [10, 500, 701, -1000]
    assert minor("12", "JPY") == 12
    strange: tuple[object, ...] = (Decimal("0.101"), "x", None, True, 0.5, Decimal("NaN"), Decimal("Infinity"), [])
    for wrong in strange:
        with pytest.raises(TargetRubbishError):
            minor(wrong, "EUR")


def test_the_client_keeps_to_its_limits() -> None:
    def told(_ledger: Ledger, request: erp_server.Request) -> tuple[int, object]:
        return 200, {"path": request.path, "key": request.headers.get("X-Key", "")}

    with erp_server.served(Ledger(), told, lambda refused: (400, refused.said)) as url, way(url) as bad:
        caller = Caller(bad.url, "Ledger", lambda *_: {"X-Key": "k"}, (Secret("hush-hush"),), Limits(most_bytes=1000))
        assert caller.call("GET", "/a b".replace(" ", "%20"), query={"q": "1"}).json() == {"path": "/a b", "key": "k"}
        bad.again(lambda *_: Treat(answer=lambda _body: b"x" * 2000))
        with pytest.raises(TargetRubbishError, match="more than 1000 bytes"):
            caller.call("GET", "/")
        bad.again(lambda *_: Treat(answer=lambda _body: b"hush-hush, 403", status=403))
        with pytest.raises(Exception, match="hidden") as refused:
            caller.call("GET", "/")
        assert "hush" not in str(refused.value)
        bad.again(lambda *_: Treat(answer=lambda _body: b"not gzip", headers={"Content-Encoding": "gzip"}))
        with pytest.raises(TargetRubbishError, match="packed"):
            caller.call("GET", "/")
        bad.again(lambda *_: Treat(cut=True))
        with pytest.raises(TargetSilentError, match="may have been done"):
            caller.call("POST", "/", body={})
    with pytest.raises(TargetDownError, match="Nothing was sent"):
        caller.call("POST", "/", body={})


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    """A server without TLS at all, spoken to as if it had some."""

    def told(_ledger: Ledger, _request: erp_server.Request) -> tuple[int, object]:
        return 200, {}

    with erp_server.served(Ledger(), told, lambda refused: (400, refused.said)) as url:
        caller = Caller(url.replace("http://", "https://"), "Ledger")
        with pytest.raises(TargetDownError):
            caller.call("GET", "/")
    assert ssl.create_default_context().verify_mode is ssl.CERT_REQUIRED


def test_a_signature_by_the_example_of_the_standard() -> None:
    """The base string of RFC 5849, section 3.4.1.1, with SHA-256 in place of SHA-1."""
    said = {
        "oauth_consumer_key": "9djdj82h48djs9d2",
        "oauth_token": "kkk9d7dh3k39sjv7",
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": "137131201",
        "oauth_nonce": "7d8f3e4a",
    }
    one = signature(
        "post", "http://example.com/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b", said, Secret("a"), Secret("b")
    )
    other = signature(
        "POST", "http://example.com/request?a2=r+b&a3=a&b5=%3D%253D&c%40=", said, Secret("a"), Secret("b")
    )
    assert one == other
    assert one != signature("GET", "http://example.com/request?a3=a", said, Secret("a"), Secret("b"))


def test_a_folder_gets_each_entry_once_with_its_digest(tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    run = Pusher(FolderTarget("drop", drop), FilePushBook(tmp_path / "book"), {"1000": "EUR", "2000": "SEK"})
    pushed = journal(entry("O-1"), between("O-2"))
    with pytest.raises(StorageError, match="is not there"):
        run.push(pushed)
    drop.mkdir()
    report = run.push(pushed)
    assert {push.state for push in report.posted} == {PushState.SENT}  # never "posted": a folder shows nothing
    files = {path.name: path.read_bytes() for path in drop.iterdir()}
    assert len(files) == 6
    for push in report.posted:
        content = files[f"{push.key}.json"]
        assert files[f"{push.key}.json.sha256"].decode() == f"{sha256(content).hexdigest()}  {push.key}.json\n"
        assert sum(Decimal(line["amount"]) for line in json.loads(content)["lines"]) == 0
    for path in drop.iterdir():
        path.unlink()  # the finance system has read them
    assert run.push(pushed).already == 3
    assert list(drop.iterdir()) == []
    assert run.confirm("O-1", "1000", "4711").state is PushState.POSTED
    with pytest.raises(InputRefusedError, match="was not sent"):
        run.confirm("O-1", "1000", "4711")
    assert run.reverse(journal(entry("O-1")), date(2026, 11, 1)).done
    (back,) = (path for path in drop.iterdir() if path.suffix == ".json")
    assert json.loads(back.read_bytes())["reverses"] == report.posted[0].key


def test_a_reversal_of_what_was_never_posted(tmp_path: Path) -> None:
    run = Pusher(FolderTarget("drop", tmp_path), FilePushBook(tmp_path / "book"), {})
    with pytest.raises(InputRefusedError, match="takes back N-1, which is not posted in drop"):
        run.reverse(journal(entry("N-1")), date(2026, 11, 1))
    with pytest.raises(InputRefusedError):
        Entry("N-2", LAST_DAY, LAST_DAY, "x", entry("N-2").postings, reverses="N-1").reversal()


SFTP_SERVER = Path("/usr/lib/openssh/sftp-server")


@pytest.mark.skipif(
    not SFTP_SERVER.exists() or not shutil.which("sftp"), reason="the programs of OpenSSH are not there"
)
def test_sftp_puts_the_same_files_there(tmp_path: Path) -> None:
    """The real client and server, without a network between them."""
    drop = tmp_path / "drop"
    drop.mkdir()
    command = ("sftp", "-D", str(SFTP_SERVER))
    run = Pusher(SftpTarget("far", drop, "host", command=command), FilePushBook(tmp_path / "book"), {"1000": "EUR"})
    (push,) = run.push(journal(entry("Q-1"))).posted
    assert push.state is PushState.SENT
    files = {path.name: path.read_bytes() for path in drop.iterdir()}
    assert set(files) == {f"{push.key}.json", f"{push.key}.json.sha256"}
    assert files[f"{push.key}.json.sha256"].decode().split()[0] == sha256(files[f"{push.key}.json"]).hexdigest()
    (drop / f".{push.key}.json.part").write_bytes(b"half")  # as a cut-off try leaves it
    (document,) = documents(journal(entry("Q-1")), {})
    run.target.create(document, push.key, None)
    assert {path.name: path.read_bytes() for path in drop.iterdir()} == files
    gone = SftpTarget("far", tmp_path / "gone", "host", command=command)
    with pytest.raises(TargetSilentError, match="did not take the files"):
        gone.check(())


@pytest.mark.parametrize("place", ["", "-oProxyCommand=x", "a b", "host;x", "host\nput"])
def test_places_that_no_file_goes_to(place: str) -> None:
    with pytest.raises(InputRefusedError, match="not a place"):
        SftpTarget("far", Path("drop"), place)
    with pytest.raises(InputRefusedError, match="not a place"):
        SftpTarget("far", Path('drop" x'), "host")
