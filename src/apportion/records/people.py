"""People, what they are allowed, who stands in for whom, and keys for programs."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from apportion.records.kinds import NAME_LENGTH, choices
from apportion.review.permission import Role


class PersonManager(BaseUserManager["Person"]):
    """Finds people by mail address, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> Person:
        return self.get(email__iexact=username or "")

    def create_person(self, email: str, name: str, password: str | None = None) -> Person:
        """Add a person; without a password they can sign in only from outside (single sign-on)."""
        person = self.model(email=email.strip().lower(), name=name)
        person.set_password(password)
        person.save()
        return person


class Person(AbstractBaseUser):
    """Somebody who signs in by mail address. People who leave are made inactive, never deleted: the books name them."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=NAME_LENGTH)
    language = models.CharField(max_length=10, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[PersonManager] = PersonManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name or self.email


class OwnerKind(StrEnum):
    """For what of a cost group an owner answers."""

    FINANCE = "finance"
    TECHNICAL = "technical"
    BUSINESS = "business"


class GrantSource(StrEnum):
    """Whether a role was given by a person, or follows from the organization file."""

    PERSON = "person"
    ORGANIZATION = "organization"


class Grant(models.Model):
    """A role of a person, for a cost group and all below it (owners, executives) or for the whole; never deleted."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="grants")
    role = models.CharField(max_length=20, choices=choices(Role))
    cost_group = models.ForeignKey("CostGroup", models.PROTECT, null=True, blank=True, related_name="grants")
    owner_kind = models.CharField(max_length=20, choices=choices(OwnerKind), blank=True)
    source = models.CharField(max_length=20, choices=choices(GrantSource), default=GrantSource.PERSON)
    granted_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    granted_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["person", "role", "cost_group", "owner_kind", "source"],
                condition=models.Q(ended_at__isnull=True, cost_group__isnull=False),
                name="one_such_grant_at_a_time",
            ),
            models.UniqueConstraint(
                fields=["person", "role", "source"],
                condition=models.Q(ended_at__isnull=True, cost_group__isnull=True),
                name="one_such_role_at_a_time",
            ),
        ]


class Delegation(models.Model):
    """`person` lets `deputy` do what they may themselves, from the first to the last day, both included."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="delegations")
    deputy = models.ForeignKey(Person, models.PROTECT, related_name="stands_in_for")
    from_on = models.DateField()
    until_on = models.DateField()
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(from_on__lte=models.F("until_on")), name="delegation_has_days"),
            models.CheckConstraint(condition=~models.Q(person=models.F("deputy")), name="nobody_stands_in_for_himself"),
        ]


class ApiToken(models.Model):
    """A key for programs: shown once, kept as SHA-256. It may do what its person may, within `scopes`, to its end."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="tokens")
    name = models.CharField(max_length=NAME_LENGTH)
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
