"""Whether a policy means something: every name it uses exists, and every rule and pool can do its work.

Takes a policy and the organization, gives mistakes with the place of the rule or value; never changes either.
What is called a mistake is one for certain; what only looks odd is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from apportion.allocate.policy import Method, Policy, Pool
from apportion.allocate.pool_checks import check_pools
from apportion.allocate.rule import ByTag, Holder, Rule, Target
from apportion.allocate.unreachable import covered, never_met
from apportion.allocate.written import Written
from apportion.errors import Mistake
from apportion.organization.cost_group import Organization
from apportion.organization.life import Life, covers, life_text, lives
from apportion.periods import BillingPeriod
from apportion.yamlfile import Key, in_file_order, suggestion
