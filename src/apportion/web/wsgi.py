"""The application that a server runs."""

import gc
import os
from pathlib import Path

from django.core.wsgi import get_wsgi_application

from apportion.records import WEB_BALANCE
from apportion.web.door import Door
from apportion.web.door.balance import Balance

_inside = get_wsgi_application()


def _door() -> Door:
    from apportion.actions.review.attaching import most_bytes  # once Django is ready

    shared = os.environ.get(WEB_BALANCE)
    return Door(_inside, most_bytes(), Balance(Path(shared)) if shared else None)


application = _door()
# A page makes some ten thousand small things and drops them all; looking through everything that the application holds
# after every 700 of them, as is usual, would find nothing and take a tenth of the time.
gc.set_threshold(50_000, 20, 20)
# Nor does it ever find anything in what was there before the first page.
gc.collect()
gc.freeze()
