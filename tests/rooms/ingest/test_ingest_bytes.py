"""Bytes: what a file is, whether it is whole, and how ragged rows are told from others."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
from pathlib import Path

import pytest

from apportion.errors import EmptyFileError, UnreadableFileError
from apportion.ingest import copy as copying
from apportion.ingest.copy import check_zstd, copy, hash_of
from apportion.ingest.read import Format, Kind, header, kind
from apportion.ingest.repair import repair
from apportion.warehouse.intake import SPELLED_NULLS
from tests.rooms.ingest.making import CHARGE, charge, csv_text, write_parquet, zstd

TEXT = csv_text([charge(ResourceId=f"server-{number}") for number in range(3000)]).encode()


def put(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_what_a_file_is_told_by_its_first_bytes(tmp_path: Path) -> None:
    given = {
        Kind(Format.CSV): TEXT,
        Kind(Format.CSV, "gzip"): gzip.compress(TEXT),
        Kind(Format.CSV, "zstd"): zstd(TEXT),
        Kind(Format.PARQUET): write_parquet(tmp_path / "p", [charge()]).read_bytes(),
    }
    for expected, content in given.items():
        assert kind(put(tmp_path / "x.anything", content), "x") == expected


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04\x14\x00\x00\x00", "zip archive or an Excel workbook"),
        (b"PK\x03\x04\x14\x00\x01\x00", "zip archive with a password"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel workbook"),
        (b"%PDF-1.7", "PDF"),
        (b"BZh91AY", "bzip2"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        ("a,b\n1,2\n".encode("utf-16-le"), "UTF-16"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(1, 99)), "neither Parquet nor text"),
        (b"PAR1" + b"x" * 40, "truncated"),
        (b"PAR1PAR1", "truncated"),
        (b"PARE" + b"x" * 40 + b"PARE", "encrypted"),
        (b"ORC\x01", "ORC"),
        (b"SQLite format 3\x00", "SQLite"),
    ],
)
def test_what_is_no_cost_data_is_called_by_its_name(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(UnreadableFileError, match=says):
        kind(put(tmp_path / "x.csv", content), "x.csv")


def test_a_file_without_bytes(tmp_path: Path) -> None:
    with pytest.raises(EmptyFileError):
        kind(put(tmp_path / "x.csv", b""), "x.csv")


@pytest.mark.parametrize("in_the_kernel", [True, False])
def test_a_copy_is_the_file_and_its_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_the_kernel: bool) -> None:
    if not in_the_kernel:
        monkeypatch.delattr(os, "copy_file_range", raising=False)
    monkeypatch.setattr(copying, "BLOCK", 1000)
    path = put(tmp_path / "x.csv", TEXT)
    seen: list[int] = []
    copied = copy(path, tmp_path / "y", "x", Kind(Format.CSV), SPELLED_NULLS, seen.append)
    assert (tmp_path / "y").read_bytes() == TEXT
    assert (copied.size, sum(seen)) == (len(TEXT), len(TEXT))
    assert copied.sha256 == hash_of(path) == hashlib.sha256(TEXT).hexdigest()


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError):
        copy(put(tmp_path / "x", TEXT), put(tmp_path / "y", b"here"), "x", Kind(Format.CSV), SPELLED_NULLS)


@pytest.mark.parametrize("cut", [1, 4, 8, 9, 500])
@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_truncated_file_is_never_taken_for_whole(tmp_path: Path, packing: str, cut: int) -> None:
    content = gzip.compress(TEXT) if packing == "gzip" else zstd(TEXT)
    path = put(tmp_path / "x", content[:-cut])
    with pytest.raises(UnreadableFileError, match="truncated or damaged"):
        copy(path, tmp_path / "y", "x", Kind(Format.CSV, packing), SPELLED_NULLS)
    copy(put(tmp_path / "z", content), tmp_path / "whole", "z", Kind(Format.CSV, packing), SPELLED_NULLS)


@pytest.mark.parametrize("place", [-1, -5, 200])
def test_a_damaged_gzip_file_is_found_by_its_checksum(tmp_path: Path, place: int) -> None:
    content = bytearray(gzip.compress(TEXT))
    content[place] ^= 1
    with pytest.raises(UnreadableFileError):
        copy(put(tmp_path / "x", bytes(content)), tmp_path / "y", "x", Kind(Format.CSV, "gzip"), SPELLED_NULLS)


def test_members_and_filling_zeros_of_gzip_are_whole_but_what_follows_is_not(tmp_path: Path) -> None:
    packed = gzip.compress(TEXT)
    for number, more in enumerate((b"", packed, b"\0" * 512)):
        copy(put(tmp_path / "x", packed + more), tmp_path / f"y{number}", "x", Kind(Format.CSV, "gzip"), SPELLED_NULLS)
    with pytest.raises(UnreadableFileError):
        copy(put(tmp_path / "x", packed + b"more"), tmp_path / "z", "x", Kind(Format.CSV, "gzip"), SPELLED_NULLS)


def test_zstd_frames_may_follow_each_other_and_be_skipped() -> None:
    packed = zstd(TEXT)
    skippable = b"\x50\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"abc"
    raw_block = b"\x28\xb5\x2f\xfd\x20\x03" + (1 | 3 << 3).to_bytes(3, "little") + b"abc"
    repeated = b"\x28\xb5\x2f\xfd\x20\x05" + (1 | 1 << 1 | 5 << 3).to_bytes(3, "little") + b"a"
    for content in (packed + skippable + raw_block + repeated, skippable + packed):
        check_zstd(io.BytesIO(content), len(content), "x")
        with pytest.raises(UnreadableFileError):
            check_zstd(io.BytesIO(content[:-1]), len(content) - 1, "x")


@pytest.mark.parametrize(
    ("text", "spells"),
    [
        (b"a,b\n1,NULL\n", True),
        (b"a,b\nNULL,1\n", True),
        (b'a,b\n"null",1\n', True),
        (b"a;b\n(null);1\n", True),
        (b"a,b\n1,NULLABLE\n", False),
        (b"a,b\n1,a null value\n", False),
        (b"a,b\n1,2\n", False),
    ],
)
def test_a_null_that_may_be_spelled_is_seen_while_copying(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes, spells: bool
) -> None:
    for block in (3, 7, 1 << 20):
        monkeypatch.setattr(copying, "BLOCK", block)
        copied = copy(put(tmp_path / "x", text), tmp_path / f"y{block}", "x", Kind(Format.CSV), SPELLED_NULLS)
        # Where blocks are cut it may be suspected, but it is never missed.
        assert copied.spells_null or not spells
        assert copied.spells_null == spells or block < 10


def test_binary_in_the_middle_of_text(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="neither Parquet nor text"):
        copy(put(tmp_path / "x", TEXT + b"a\0b"), tmp_path / "y", "x", Kind(Format.CSV), SPELLED_NULLS)


# Headers.


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_gives_known_columns(delimiter: str) -> None:
    found = header(csv_text([CHARGE], delimiter).splitlines(keepends=True), "x")
    assert (found.delimiter, found.names) == (delimiter, tuple(CHARGE))


def test_a_header_may_be_quoted_over_lines_and_carry_a_mark() -> None:
    found = header(['\ufeff"BilledCost","my\n', 'column",EffectiveCost\n'], "x")
    assert found.names == ("BilledCost", "my\ncolumn", "EffectiveCost")


def test_names_that_nobody_takes_for_each_other_or_for_ours() -> None:
    found = header(["a,A,,__flags,file_row_number,a_1,a\n"], "x")
    assert found.names == ("a", "A", "", "__flags", "file_row_number", "a_1", "a")
    assert found.physical == ("a", "A_1", "column_3", "x__flags", "xfile_row_number", "a_1_1", "a_2")


@pytest.mark.parametrize("lines", [[], ["\n", "\ufeff\n"], ['"\n']])
def test_no_header(lines: list[str]) -> None:
    with pytest.raises((EmptyFileError, UnreadableFileError)):
        header(lines, "x")


# Repair.


def repaired(lines: list[str], tmp_path: Path, delimiter: str = ",") -> list[str]:
    repair(lines, delimiter, 3, tmp_path / "out.csv", "x")
    return (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()[1:]


def test_good_rows_stay_and_ragged_ones_become_text(tmp_path: Path) -> None:
    lines = ["a;b;c\n", "1;2;3\n", "\n", "4;5\n", '6;"7\n', '8";9\n', "1;2;3;4\n", "1;2;3;\n", '"x"y;2;3\n', "7;8;9"]
    assert repaired(lines, tmp_path, ";") == [
        "1,2,3,", ",,,4;5", '6,"7', '8",9,', ",,,1;2;3;4", "1,2,3,", ',,,"""x""y;2;3"', "7,8,9,",
    ]  # fmt: skip


def test_a_quotation_mark_that_is_never_closed(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="never closed") as refused:
        repaired(["a,b,c\n", "1,2,3\n", '4,"5,6\n', "7,8,9\n"], tmp_path)
    assert str(refused.value.place) == "x, row 2"
