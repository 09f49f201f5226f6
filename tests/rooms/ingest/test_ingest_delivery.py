"""Which files make up a delivery, and what a manifest may and may not say."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from apportion.errors import DuplicateDeliveryError, IncompleteDeliveryError, UnreadableFileError
from apportion.ingest.delivery import Found, find, source_name
from apportion.money.amount import units
from apportion.periods import BillingPeriod
from tests.rooms.ingest.making import billed, charge, found, prepared, write_csv


def put(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {name}", encoding="utf-8")


def names(given: Found) -> list[str]:
    return [file.name for file in given.files]


def skipped(given: Found) -> dict[str, str]:
    return {finding.file: finding.sentence.rsplit(". ", 1)[-1] for finding in given.findings}


def test_a_file_a_folder_a_glob_and_several_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "a.csv", "export/b.parquet", "export/deep/er/c.csv.gz", "other/d.csv.zst")
    monkeypatch.chdir(tmp_path)
    assert names(find(["a.csv"])) == ["a.csv"]
    assert names(find(["export"])) == ["b.parquet", "deep/er/c.csv.gz"]
    assert names(find([tmp_path / "export", tmp_path / "a.csv"])) == ["a.csv", "b.parquet", "deep/er/c.csv.gz"]
    assert names(find(["**/*.csv*"])) == ["a.csv", "c.csv.gz", "d.csv.zst"]
    assert names(find(["export/*", "other"])) == ["b.parquet", "d.csv.zst", "er/c.csv.gz"]


def test_a_path_given_twice_is_one_file(tmp_path: Path) -> None:
    put(tmp_path, "export/a.csv")
    assert names(find([tmp_path / "export", tmp_path / "export" / "a.csv", tmp_path / "export"])) == ["a.csv"]


def test_hidden_files_and_marks_are_no_part_of_a_delivery(tmp_path: Path) -> None:
    put(tmp_path, "e/a.csv", "e/_SUCCESS", "e/.a.csv.crc", "e/.hidden.csv", "e/_temporary/b.csv", "e/.git/c.csv")
    given = find([tmp_path / "e"])
    assert (names(given), given.findings) == (["a.csv"], ())


def test_what_is_left_aside_is_said(tmp_path: Path) -> None:
    put(tmp_path, "e/a.csv", "e/README.md", "e/noext")
    (tmp_path / "e" / "part-0").write_bytes(b"PAR1....PAR1")
    given = find([tmp_path / "e"])
    assert names(given) == ["a.csv", "part-0"]
    assert skipped(given) == dict.fromkeys(("README.md", "noext"), "It is no Parquet or CSV file.")


def test_files_of_one_name_in_two_folders_are_two_files(tmp_path: Path) -> None:
    put(tmp_path, "one/part-0.csv", "two/part-0.csv")
    assert names(find([tmp_path / "one", tmp_path / "two"])) == [
        str(tmp_path / "one" / "part-0.csv"),
        str(tmp_path / "two" / "part-0.csv"),
    ]


def test_links_in_a_folder_lead_nowhere(tmp_path: Path) -> None:
    put(tmp_path, "secret.csv", "e/a.csv", "elsewhere/b.csv")
    (tmp_path / "e" / "link.csv").symlink_to(tmp_path / "secret.csv")
    (tmp_path / "e" / "folder").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "e" / "manifest.json").symlink_to(tmp_path / "secret.csv")
    given = find([tmp_path / "e"])
    assert names(given) == ["a.csv"]
    assert skipped(given) == {"link.csv": "It is a link."}


def test_hostile_names_are_shown_safely_and_loaded(tmp_path: Path) -> None:
    folder = tmp_path / "e"
    hostile = ["a\nb.csv", "a\x1b[31m.csv", "'; DROP TABLE x; --.csv", "ü\udcff.csv", "a'\"b.csv"]
    for number, name in enumerate(hostile):
        write_csv(folder / "plain.csv", [charge(InvoiceId=f"INV-{number}")])
        os.rename(folder / "plain.csv", os.path.join(os.fsencode(folder), os.fsencode(name)))  # noqa: PTH104, PTH118
    delivery = prepared(folder, tmp_path / "staged")
    assert len(delivery.files) == len(hostile)
    assert all(file.name.isprintable() for file in delivery.files)
    assert all(file.name.isascii() or "ü" in file.name for file in delivery.files)
    assert billed(delivery) == len(hostile) * units("10.5")


@pytest.mark.parametrize("path", ["nothing.csv", "no/where/", "*.csv", "e"])
def test_where_nothing_is_there_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.chdir(tmp_path)
    put(tmp_path, "e/README.md")
    with pytest.raises(UnreadableFileError):
        find([path])


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(UnreadableFileError, match="neither a file nor a folder"):
        find([tmp_path / "pipe.csv"])


def test_hive_folders(tmp_path: Path) -> None:
    put(tmp_path, "e/BILLING_PERIOD=2026-10/x%3Dy=a%2Fb/a.csv", "e/Currency=__HIVE_DEFAULT_PARTITION__/b.csv")
    one, two = find([tmp_path / "e"]).files
    assert one.partition == (("BILLING_PERIOD", "2026-10"), ("x=y", "a/b"))
    assert two.partition == (("Currency", None),)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("aws-export/", "aws-export"),
        ("x/october 2026.csv.gz", "october-2026"),
        ("x/*.parquet", "x"),
        ("x/part-0.snappy.parquet", "part-0.snappy"),
        ("x/---.csv", "delivery"),
        (f"x/{'n' * 99}.csv", "n" * 64),
    ],
)
def test_the_usual_name_of_a_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "aws-export").mkdir()
    assert source_name([path]) == name


# Manifests.


def manifest(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def test_aws_names_its_files_by_bucket(tmp_path: Path) -> None:
    base = "data/BILLING_PERIOD=2026-10"
    put(tmp_path, f"focus/{base}/a.snappy.parquet", f"focus/{base}/old.snappy.parquet")
    listed = [f"s3://bucket/prefix/focus/{base}/a.snappy.parquet"]
    meta = tmp_path / "focus" / "metadata" / "BILLING_PERIOD=2026-10" / "focus-Manifest.json"
    manifest(meta, {"dataFiles": listed})
    for given in (find([tmp_path / "focus"]), find([meta])):
        assert names(given) == [f"{base}/a.snappy.parquet"]
        assert skipped(given) == {f"{base}/old.snappy.parquet": "No manifest names it."}


def azure(rows: list[int | None], **run: str) -> dict[str, object]:
    blobs = [{"blobName": f"exports/run-1/part_{n}.csv", "byteCount": 1, "dataRowCount": r} for n, r in enumerate(rows)]
    dates = {"startDate": "2026-10-01T00:00:00", "endDate": "2026-10-31T00:00:00", "runId": "1", **run}
    return {"blobs": blobs, "exportConfig": {"exportName": "focus"}, "runInfo": dates}


def test_azure_counts_rows_and_null_is_not_zero(tmp_path: Path) -> None:
    folder = tmp_path / "run-1"
    write_csv(folder / "part_0.csv", [charge()])
    write_csv(folder / "part_1.csv", [charge(InvoiceId="INV-2")] * 3)
    manifest(folder / "manifest.json", azure([None, 3]))
    given = find([folder])
    assert [file.rows for file in given.files] == [None, 3]
    assert given.periods == (BillingPeriod(2026, 10), BillingPeriod(2026, 10))
    assert sum(file.rows for file in prepared(folder, tmp_path / "one").files) == 4
    manifest(folder / "manifest.json", azure([1, 2]))
    finding = found(prepared(folder, tmp_path / "two"), "MANIFEST_ROWS_DIFFER")
    assert (finding.file, finding.rows, finding.examples[0].value) == ("part_1.csv", 1, "2 promised, 3 counted")
    manifest(folder / "manifest.json", azure([1, 4]))
    with pytest.raises(IncompleteDeliveryError, match="promises 4 rows, and there are 3") as refused:
        prepared(folder, tmp_path / "three")
    assert str(refused.value.place) == "part_1.csv"


def test_rows_are_trusted_where_the_manifest_speaks_of_another_month(tmp_path: Path) -> None:
    folder = tmp_path / "run-1"
    write_csv(folder / "part_0.csv", [charge()])
    manifest(folder / "manifest.json", azure([1], startDate="2026-08-01T00:00:00", endDate="2026-08-31T00:00:00"))
    delivery = prepared(folder, tmp_path / "staged")
    assert found(delivery, "MANIFEST_PERIOD_DIFFERS").examples[0].value == "2026-10: 1 rows"
    assert [str(period) for period in delivery.totals] == ["2026-10"]


def test_a_file_that_is_named_but_missing_is_an_incomplete_delivery(tmp_path: Path) -> None:
    put(tmp_path, "run-1/part_0.csv")
    manifest(tmp_path / "run-1" / "manifest.json", azure([None, None, None]))
    with pytest.raises(IncompleteDeliveryError, match=r"names 2 files .*part_1\.csv, exports/run-1/part_2\.csv"):
        find([tmp_path / "run-1"])


def test_a_namesake_in_another_run_is_not_the_named_file(tmp_path: Path) -> None:
    put(tmp_path, "e/run-1/part_0.csv", "e/run-2/part_0.csv")
    (tmp_path / "e/run-1/part_0.csv").unlink()
    manifest(tmp_path / "e/run-1/manifest.json", azure([None]))
    manifest(tmp_path / "e/run-2/manifest.json", {"blobs": [{"blobName": "exports/run-2/part_0.csv"}]})
    assert len(find([tmp_path / "e" / "run-2"]).files) == 1
    with pytest.raises(IncompleteDeliveryError, match="run-1/part_0"):
        find([tmp_path / "e"])


def test_a_download_that_renamed_the_folders_is_still_understood(tmp_path: Path) -> None:
    put(tmp_path, "october/files/part_0.csv")
    manifest(tmp_path / "october/manifest.json", {"blobs": [{"blobName": "exports/run-1/part_0.csv"}]})
    assert names(find([tmp_path])) == ["october/files/part_0.csv"]


def test_two_runs_of_one_export_would_count_twice(tmp_path: Path) -> None:
    put(tmp_path, "e/run-1/part_0.csv", "e/run-2/part_0.csv")
    for run in ("run-1", "run-2"):
        listed = {**azure([None], runId=run), "blobs": [{"blobName": f"exports/{run}/part_0.csv"}]}
        manifest(tmp_path / "e" / run / "manifest.json", listed)
    with pytest.raises(DuplicateDeliveryError, match="two runs of the same export"):
        find([tmp_path / "e"])
    assert len(find([tmp_path / "e" / "run-2"]).files) == 1


@pytest.mark.parametrize("content", ["{}", "", '{"comment": "complete"}'])
def test_an_empty_manifest_says_that_the_folder_is_complete(tmp_path: Path, content: str) -> None:
    put(tmp_path, "hub/a.parquet", "hub/b.parquet")
    (tmp_path / "hub" / "manifest.json").write_text(content, encoding="utf-8")
    assert names(find([tmp_path / "hub"])) == ["a.parquet", "b.parquet"]


def test_our_own_manifest_knows_hashes(tmp_path: Path) -> None:
    write_csv(tmp_path / "e" / "a.csv", [charge()])
    manifest(tmp_path / "e" / "manifest.json", {"files": [{"name": "a.csv", "rows": 1, "sha256": "0" * 64}]})
    with pytest.raises(IncompleteDeliveryError, match="SHA-256"):
        prepared(tmp_path / "e", tmp_path / "staged")


@pytest.mark.parametrize(
    "content",
    ["no json", "[1]", '{"files": 3}', '{"files": [3]}', '{"blobs": [{"blobName": "a", "dataRowCount": -1}]}'],
)
def test_a_manifest_that_nobody_understands_is_an_incomplete_delivery(tmp_path: Path, content: str) -> None:
    put(tmp_path, "e/a.csv")
    (tmp_path / "e" / "manifest.json").write_text(content, encoding="utf-8")
    with pytest.raises(IncompleteDeliveryError, match="manifest"):
        find([tmp_path / "e"])


@pytest.mark.parametrize("name", ["../secret.csv", "/etc/passwd", "s3://b/../../secret.csv", "a/../../secret.csv", ""])
def test_a_manifest_cannot_reach_out_of_the_folder(tmp_path: Path, name: str) -> None:
    put(tmp_path, "secret.csv", "e/a.csv")
    manifest(tmp_path / "e" / "manifest.json", {"files": [name]})
    with pytest.raises(IncompleteDeliveryError):
        find([tmp_path / "e"])
