"""OpenCost's allocations and split cost of FOCUS and AWS, read as they come."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from apportion.errors import BadValueError, EmptyFileError
from apportion.ingest.split_cost import aws_resource, snake
from apportion.ingest.usage import load
from apportion.money.amount import plain
from apportion.periods import BillingPeriod
from apportion.warehouse import duckdb as engine
from apportion.warehouse import usage as stored
from apportion.warehouse.store import Workspace

OCTOBER = BillingPeriod(2026, 10)
Held = list[tuple[str, str, dict[str, str], str]]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Workspace.create(tmp_path / "close")
    (tmp_path / "close" / "apportion.yaml").write_text("company: Harbour Foods\n", encoding="utf-8")
    return made


def loaded(workspace: Workspace, path: Path, source: str = "clusters") -> Held:
    load(workspace, [path], source=source)
    file = workspace.usage(OCTOBER)[source]
    assert file.path is not None
    held = [
        (row.metric, row.consumer, dict(row.dimensions), plain(row.value)) for row in stored.read(file.path, source)
    ]
    return sorted(held, key=lambda row: (row[0], row[1], "part" in row[2]))


def allocation(start: str, end: str, costs: dict[str, float], **properties: object) -> dict[str, object]:
    return {"properties": properties, "window": {"start": start, "end": end}, "start": start, **costs}


def october(day: int, costs: dict[str, float], **properties: object) -> dict[str, object]:
    return allocation(f"2026-10-{day:02d}T00:00:00Z", f"2026-10-{day + 1:02d}T00:00:00Z", costs, **properties)


DAYS = [
    {
        "shop/pod-1/main": october(
            1,
            {"cpuCost": 1.1, "cpuCostAdjustment": -0.1, "ramCost": 0.25, "cpuCoreHours": 24, "totalCost": 1.25},
            cluster="c1", node="n1", namespace="shop", controller="till", controllerKind="deployment",
            labels={"app": "Till", "Team": "red"},
        ),
        "c1/__idle__": october(1, {"cpuCost": 5, "ramCost": 15}, cluster="c1"),
    },
    None,
    {
        "shop/pod-1/main": october(
            2, {"cpuCost": 2, "pvCost": 0.5, "loadBalancerCost": 1, "sharedCost": 3},
            cluster="c1", node="n1", namespace="shop", controller="till", controllerKind="deployment",
            labels={"app": "Till", "Team": "red"},
        ),
        "team=blue": october(2, {"ramCost": 4, "networkCost": 0, "cpuCost": 0}, cluster="c1"),
    },
]  # fmt: skip
SHOP = {
    "cluster": "c1",
    "node": "n1",
    "namespace": "shop",
    "controller": "till",
    "controller_kind": "deployment",
    "label.app": "Till",
    "label.team": "red",
}
FROM_JSON = [
    ("cluster.cpu.cost", "__idle__", {"cluster": "c1"}, "5"),
    ("cluster.cpu.cost", "shop", SHOP, "3"),
    ("cluster.cpu.needed", "shop", SHOP, "24"),
    ("cluster.load_balancer.cost", "shop", SHOP, "1"),
    ("cluster.memory.cost", "__idle__", {"cluster": "c1"}, "15"),
    ("cluster.memory.cost", "shop", SHOP, "0.25"),
    ("cluster.memory.cost", "team=blue", {"cluster": "c1"}, "4"),
    ("cluster.shared.cost", "shop", SHOP, "3"),
    ("cluster.storage.cost", "shop", SHOP, "0.5"),
]


@pytest.mark.parametrize("wrap", [lambda sets: {"code": 200, "data": sets}, lambda sets: sets])
def test_the_answer_of_opencost(workspace: Workspace, tmp_path: Path, wrap: object) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    assert callable(wrap)
    (folder / "allocation.json").write_text(json.dumps(wrap(DAYS)), encoding="utf-8")
    assert loaded(workspace, folder) == FROM_JSON


def test_a_single_set_and_the_summary_of_opencost(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps({"data": {"sets": [{"allocations": DAYS[0]}, {"allocations": None}]}}))
    first = loaded(workspace, path)
    path.write_text(json.dumps(DAYS[0]))
    assert loaded(workspace, path) == first
    assert [(metric, consumer, value) for metric, consumer, _, value in first] == [
        ("cluster.cpu.cost", "__idle__", "5"),
        ("cluster.cpu.cost", "shop", "1"),
        ("cluster.cpu.needed", "shop", "24"),
        ("cluster.memory.cost", "__idle__", "15"),
        ("cluster.memory.cost", "shop", "0.25"),
    ]


def test_allocations_that_cannot_be_read_are_bad_rows(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    sets = [
        {
            "good": october(1, {"cpuCost": 1}, namespace="shop"),
            "wide": allocation("2026-10-31T00:00:00Z", "2026-11-02T00:00:00Z", {"cpuCost": 1}, namespace="shop"),
            "when": {"cpuCost": 1, "properties": {}},
            "what": october(1, {"cpuCost": float("nan")}, namespace="shop"),
        }
    ]
    path.write_text(json.dumps(sets))
    with pytest.raises(BadValueError, match="reaches into another month") as refused:
        load(workspace, [path], source="clusters")
    assert str(refused.value.place) == "bad.json, row 2, window"
    receipt = load(workspace, [path], source="clusters", quarantine=True)
    assert (receipt.rows_loaded, receipt.rows_aside) == (1, 3)
    assert {(finding.code, finding.column) for finding in receipt.delivery.findings} == {
        ("USAGE_SPANS_MONTHS", "window"),
        ("USAGE_VALUE_MISSING", "window.start"),
        ("USAGE_NUMBER_UNREADABLE", "cpuCost"),
    }


CSV = """\
Date,Namespace,ControllerKind,ControllerName,Pod,Container,Labels,CPUCoreUsageAverage,CPUCost,RAMCost,NetworkCost,PVCost,GPUCost,TotalCost
2026-10-01,shop,deployment,till,p1,main,"{""app"":""Till""}",0.5,0.1,0.2,0,0,0,0.30000000000000004
2026-10-02,shop,deployment,till,p2,main,"{""app"":""Till""}",0.5,0.1,0.2,0,0,0,1.3
2026-10-02,__unmounted__,,,,,,0,0,0,0,2,0,2
"""


def test_the_csv_export_of_opencost(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "opencost.csv"
    path.write_text(CSV, encoding="utf-8")
    till = {"namespace": "shop", "controller": "till", "controller_kind": "deployment", "label.app": "Till"}
    assert loaded(workspace, path) == [
        ("cluster.cpu.cost", "shop", till, "0.2"),
        ("cluster.memory.cost", "shop", till, "0.4"),
        # What the total has beyond the columns: a load balancer, without the noise of binary fractions.
        ("cluster.other.cost", "shop", till, "1"),
        ("cluster.storage.cost", "__unmounted__", {"namespace": "__unmounted__"}, "2"),
    ]


def test_opencost_in_parquet(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "opencost.parquet"
    columns = (
        'col0 AS name, col1::TIMESTAMP AS "window.start", col2 AS "properties.cluster", '
        'col3 AS "properties.namespace", col4 AS "properties.labels.app", col5::DOUBLE AS cpuCost, '
        "col6::DOUBLE AS ramCost, col6::DOUBLE AS loadBalancerCost, col5::DOUBLE AS totalCost"
    )
    rows = (
        "('c1/shop/p', '2026-10-05', 'c1', 'shop', 'Till', 0.1, 0.2), "
        "('c1/__idle__', '2026-10-05', 'c1', NULL, NULL, 7, 0)"
    )
    with closing(engine.connect()) as connection:
        connection.execute(
            f"COPY (SELECT {columns} FROM (VALUES {rows}) AS t) TO {engine.literal(str(path))} (FORMAT parquet)"
        ).fetchall()
    shop = {"cluster": "c1", "namespace": "shop", "label.app": "Till"}
    assert loaded(workspace, path) == [
        ("cluster.cpu.cost", "__idle__", {"cluster": "c1"}, "7"),
        ("cluster.cpu.cost", "shop", shop, "0.1"),
        ("cluster.load_balancer.cost", "shop", shop, "0.2"),
        ("cluster.memory.cost", "shop", shop, "0.2"),
    ]


FOCUS = """\
BillingPeriodStart,BilledCost,EffectiveCost,BillingCurrency,ResourceId,ServiceName,AllocatedMethodId,AllocatedResourceId,AllocatedResourceName,AllocatedTags,Tags
2026-10-01T00:00:00Z,0,60,USD,vm-1,Compute,cpu-hours,pod-1,till,"{""team"":""red""}","{}"
2026-10-01T00:00:00Z,0,30,USD,vm-1,Compute,cpu-hours,pod-2,,"{""team"":""blue""}","{}"
2026-10-01T00:00:00Z,0,10,USD,vm-1,Compute,cpu-hours,,,,"{}"
2026-10-01T00:00:00Z,5,5,USD,vm-2,Compute,,,,,"{}"
"""


def test_split_cost_of_focus(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "focus.csv"
    path.write_text(FOCUS, encoding="utf-8")
    common = {"node": "vm-1", "service": "Compute", "currency": "USD", "method": "cpu-hours"}
    assert loaded(workspace, path) == [
        ("cluster.split.cost", "__idle__", common, "10"),
        ("cluster.split.cost", "pod-2", {**common, "allocated_resource_id": "pod-2", "tag.team": "blue"}, "30"),
        (
            "cluster.split.cost",
            "till",
            {**common, "allocated_resource_id": "pod-1", "allocated_resource_name": "till", "tag.team": "red"},
            "60",
        ),
    ]


AWS = """\
bill/BillingPeriodStartDate,lineItem/UsageType,lineItem/ResourceId,lineItem/CurrencyCode,splitLineItem/ParentResourceId,splitLineItem/SplitUsage,splitLineItem/SplitCost,splitLineItem/UnusedCost,resourceTags/aws:eks:cluster-name,resourceTags/aws:eks:namespace,resourceTags/user:team
2026-10-01T00:00:00Z,USW2-EKS-EC2-vCPU-Hours,pod/1,USD,i-1,1,0.17,0.03,prod,shop,red
2026-10-01T00:00:00Z,USW2-EKS-EC2-GB-Hours,pod/1,USD,i-1,4,0.08,0.01,prod,shop,red
2026-10-01T00:00:00Z,USW2-EKS-EC2-vCPU-Hours,pod/2,USD,i-1,2,0.34,0,prod,shop,red
2026-10-01T00:00:00Z,USW2-BoxUsage:m5.xlarge,i-1,USD,,,,,,,
"""


def test_split_cost_of_aws(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "cur.csv"
    path.write_text(AWS, encoding="utf-8")
    shop = {"node": "i-1", "currency": "USD", "cluster": "prod", "namespace": "shop", "tag.team": "red"}
    assert loaded(workspace, path) == [
        ("cluster.cpu.cost", "shop", shop, "0.51"),
        ("cluster.cpu.cost", "shop", {**shop, "part": "unused"}, "0.03"),
        ("cluster.cpu.needed", "shop", shop, "3"),
        ("cluster.memory.cost", "shop", shop, "0.08"),
        ("cluster.memory.cost", "shop", {**shop, "part": "unused"}, "0.01"),
        ("cluster.memory.needed", "shop", shop, "4"),
    ]


def test_split_cost_of_aws_as_parquet_with_maps_and_net_costs(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "cur.parquet"
    columns = (
        "TIMESTAMP '2026-10-01' AS bill_billing_period_start_date, col0 AS line_item_usage_type, "
        "'USD' AS line_item_currency_code, col1::DOUBLE AS split_line_item_split_cost, "
        "col2::DOUBLE AS split_line_item_net_split_cost, col3::DOUBLE AS split_line_item_net_unused_cost, "
        "MAP {'aws:ecs:service-name': col4, 'user_team': 'red'} AS resource_tags"
    )
    rows = "('ECS-EC2-vCPU-Hours', 9, 8, 1, 'till'), ('ECS-EC2-GB-Hours', 3, 2, 0, 'till'), ('Box', NULL, NULL, 0, '')"
    with closing(engine.connect()) as connection:
        connection.execute(
            f"COPY (SELECT {columns} FROM (VALUES {rows}) AS t) TO {engine.literal(str(path))} (FORMAT parquet)"
        ).fetchall()
    till = {"currency": "USD", "service": "till", "tag.team": "red"}
    assert loaded(workspace, path) == [
        ("cluster.cpu.cost", "till", till, "8"),
        ("cluster.cpu.cost", "till", {**till, "part": "unused"}, "1"),
        ("cluster.memory.cost", "till", till, "2"),
    ]


def test_a_report_without_any_split_row_is_empty(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "cur.csv"
    lines = AWS.splitlines()
    path.write_text(f"{lines[0]}\n{lines[-1]}\n", encoding="utf-8")
    with pytest.raises(EmptyFileError):
        load(workspace, [path])


@pytest.mark.parametrize(
    ("usage_type", "resource"),
    [
        ("EKS-EC2-vCPU-Hours", "cpu"),
        ("EUC1-Fargate-vCPU-Hours:perCPU", "cpu"),
        ("EKS-EC2-GB-Hours", "memory"),
        ("EKS-EC2-GPU-Hours", "gpu"),
        ("EKS-EC2-Accelerator-Hours", "gpu"),
        ("something", "other"),
    ],
)
def test_what_a_split_line_of_aws_is_about(usage_type: str, resource: str) -> None:
    assert aws_resource(usage_type) == resource


def test_both_spellings_of_aws_columns_are_one() -> None:
    assert snake("splitLineItem/SplitCost") == snake("split_line_item_split_cost") == "split_line_item_split_cost"
    assert snake("resourceTags/aws:eks:cluster-name") == "resource_tags_aws_eks_cluster_name"
