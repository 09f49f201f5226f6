"""Calling the API in tests: a client with a key, and every route that there is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from apportion.actions.access.people import create_token
from apportion.actions.acting import actor_of
from apportion.api.site import api
from apportion.records.people import Person
from apportion.records.rights import rights_of
from apportion.records.rule import Rule
from apportion.review.permission import Permission

ROOT = "/api/v1"


def key_of(person: Person, *scopes: str) -> str:
    """A key of a person: with everything that they may, or within `scopes`."""
    rights = rights_of(person)
    wanted = scopes or tuple(str(each) for each in Permission if rights.may_somewhere(each))
    until = timezone.localdate() + timedelta(days=30)
    return create_token(actor_of(person, "web"), "Test", wanted, until)[1]


@dataclass
class Caller:
    """A program that calls with a key, or without one."""

    key: str = ""

    def get(self, path: str, **headers: str) -> Any:
        return self._sent("GET", path, None, headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self._sent("POST", path, {} if body is None else body, headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self._sent("DELETE", path, None, headers)

    def send(self, method: str, path: str, body: Any, content_type: str = "application/json") -> Any:
        """Send bytes as they are."""
        return Client(raise_request_exception=False).generic(
            method, ROOT + path, body, content_type=content_type, headers=self._headers({})
        )

    def upload(self, path: str, data: dict[str, Any], **headers: str) -> Any:
        return Client(raise_request_exception=False).post(ROOT + path, data, headers=self._headers(headers))

    def _sent(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        data = "" if body is None else json.dumps(body)
        return Client(raise_request_exception=False).generic(
            method, ROOT + path, data, content_type="application/json", headers=self._headers(headers)
        )

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        found = {name.replace("_", "-"): value for name, value in more.items()}
        return {**({"Authorization": f"Bearer {self.key}"} if self.key else {}), **found}


@dataclass(frozen=True)
class Operation:
    """A route as the API knows it."""

    method: str
    path: str
    name: str
    rule: Rule | None


def operations() -> Iterator[Operation]:
    """Every route, with the rule that it declares."""
    for router in api._get_bound_routers():
        for path, view in router.path_operations.items():
            for operation in view.operations:
                for method in operation.methods:
                    yield Operation(
                        method,
                        path.replace("{int:", "{"),
                        str(operation.operation_id),
                        getattr(operation.view_func, "rule", None),
                    )
