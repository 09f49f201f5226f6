"""The small company, for tests of what the books tell."""

from tests.company import company_fixture, delivered_fixture, own_company_fixture

__all__ = ["company_fixture", "delivered_fixture", "own_company_fixture"]
