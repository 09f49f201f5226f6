"""Cost that a provider itself has split: the allocated rows of FOCUS 1.3, and AWS's split cost allocation data.

They become usage of a cluster, in the currency of the cost: metrics ``cluster.RESOURCE.cost`` (and for AWS
``cluster.RESOURCE.needed``, the greater of reserved and actual usage), consumers are namespaces, services or resources.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from apportion.focus.versions import column_id
from apportion.ingest.usage_forms import IDLE, Columns, Form, Measured, first, object_of
from apportion.warehouse.usage_intake import Asked, Group

UNOWNED = "__unallocated__"
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
# The dimensions that AWS's own tags become; every other tag is tag.KEY.
_AWS_TAGS = {
    "aws_eks_cluster_name": "cluster",
    "aws_eks_namespace": "namespace",
    "aws_eks_workload_name": "workload",
    "aws_eks_workload_type": "workload_type",
    "aws_eks_deployment": "deployment",
    "aws_eks_node": "node_name",
    "aws_ecs_cluster_name": "cluster",
    "aws_ecs_service_name": "service",
}
_TAGS = ("resource_tags", "tags")


def focus(columns: Columns) -> Form | None:
    """The form of FOCUS rows with AllocatedMethodId; None where the table has no such column.

    The cost is EffectiveCost, else BilledCost. Of rows that were not split nothing is read. What the provider could
    attribute to no resource is idle: `node` is the resource whose cost was split, so it is shared among those it
    was split among.
    """
    there = columns.by(lambda name: column_id(name) or name)
    cost = first(("EffectiveCost", "BilledCost"), there)
    period = first(("BillingPeriodStart", "ChargePeriodStart"), there)
    if "AllocatedMethodId" not in there or not cost or not period:
        return None
    named = {
        "allocated_resource_id": "AllocatedResourceId",
        "allocated_resource_name": "AllocatedResourceName",
        "node": "ResourceId",
        "service": "ServiceName",
        "sub_account": "SubAccountId",
        "currency": "BillingCurrency",
        "method": "AllocatedMethodId",
    }
    dimensions = {name: there[column] for name, column in named.items() if column in there}
    tags = there.get("AllocatedTags", "")
    keys = tuple(dict.fromkeys((*dimensions.values(), *((tags,) if tags else ()))))
    asked = Asked(period, keys, (cost,), (cost,), only=(there["AllocatedMethodId"],))
    place = {column: number for number, column in enumerate(keys)}

    def rows(group: Group) -> Iterator[Measured]:
        shown = {name: group.keys[place[column]] for name, column in dimensions.items()}
        labels = object_of(group.keys[place[tags]]) if tags else {}
        shown |= {f"tag.{key}": value for key, value in labels.items()}
        consumer = shown.get("allocated_resource_name") or shown.get("allocated_resource_id")
        is_idle = not shown.get("allocated_resource_id")
        yield Measured("cluster.split.cost", IDLE if is_idle or not consumer else consumer, shown, group.sums[0] or 0)

    return Form("FOCUS split cost", asked, rows)


def snake(name: str) -> str:
    """``splitLineItem/SplitCost`` and ``resourceTags/aws:eks:namespace`` as AWS writes them in Parquet."""
    return _WORD.sub("_", name.strip()).strip("_").lower()


def aws(columns: Columns) -> Form | None:
    """The form of a Cost and Usage Report with split cost allocation data; None for any other table.

    Net costs are taken where the report has them. The unused part that AWS attributes to a pod or task is a row of its
    own with the dimension ``part: unused``, so that a rule can send it elsewhere.
    """
    there = columns.by(snake)
    period = first(("bill_billing_period_start_date", "line_item_usage_start_date"), there)
    used = first(("split_line_item_net_split_cost", "split_line_item_split_cost"), there)
    if not used or not period or "line_item_usage_type" not in there:
        return None
    unused = first(("split_line_item_net_unused_cost", "split_line_item_unused_cost"), there)
    needed = there.get("split_line_item_split_usage", "")
    own = {
        "node": "split_line_item_parent_resource_id",
        "account": "line_item_usage_account_id",
        "currency": "line_item_currency_code",
    }
    dimensions = {name: there[column] for name, column in own.items() if column in there}
    tag_columns = {
        name.removeprefix("resource_tags_"): physical
        for name, physical in there.items()
        if name.startswith("resource_tags_")
    }
    maps = [there[name] for name in _TAGS if name in there]
    usage_type = there["line_item_usage_type"]
    keys = tuple(dict.fromkeys((usage_type, *dimensions.values(), *tag_columns.values(), *maps)))
    values = tuple(column for column in (used, unused, needed) if column)
    asked = Asked(period, keys, values, only=(used, *((needed,) if needed else ())))
    place = {column: number for number, column in enumerate(keys)}

    def rows(group: Group) -> Iterator[Measured]:
        def text(column: str) -> str | None:
            return group.keys[place[column]]

        tags: dict[str, str | None] = {}
        for column in maps:
            tags |= {snake(key): value for key, value in object_of(text(column)).items()}
        tags |= {key: text(column) for key, column in tag_columns.items() if text(column)}
        shown = {name: text(column) for name, column in dimensions.items()} | _aws_dimensions(tags)
        consumer = shown.get("namespace") or shown.get("service") or UNOWNED
        resource = aws_resource(text(usage_type) or "")
        sums = dict(zip(values, group.sums, strict=True))
        for column, metric, part in (
            (used, "cost", {}),
            (unused, "cost", {"part": "unused"}),
            (needed, "needed", {}),
        ):
            value = sums.get(column)
            if value is not None and (value or not part):
                yield Measured(f"cluster.{resource}.{metric}", consumer, {**shown, **part}, value)

    return Form("AWS split cost", asked, rows)


def _aws_dimensions(tags: Mapping[str, str | None]) -> dict[str, str | None]:
    return {_AWS_TAGS.get(key) or f"tag.{key.removeprefix('user_')}": value for key, value in tags.items()}


def aws_resource(usage_type: str) -> str:
    """What a split line is about: ``USW2-EKS-EC2-vCPU-Hours`` is cpu, ``…-GB-Hours`` memory."""
    shown = usage_type.lower()
    if "vcpu" in shown:
        return "cpu"
    if any(word in shown for word in ("gpu", "accelerator", "neuron", "trainium", "inferentia")):
        return "gpu"
    return "memory" if "gb" in shown else "other"
