"""The quick loop: ``pytest -p tests.quick`` tries every law on a fifth of its examples.

Laws that say how many examples they want say it by `tests.often.often`, which knows which loop it is.
"""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("quick", max_examples=settings.get_profile("default").max_examples // 5)
settings.load_profile("quick")
