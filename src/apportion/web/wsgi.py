"""The application that a server runs."""

import gc

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
# A page makes some ten thousand small things and drops them all; looking through everything that the application holds
# after every 700 of them, as is usual, would find nothing and take a tenth of the time.
gc.set_threshold(50_000, 20, 20)
# Nor does it ever find anything in what was there before the first page.
gc.collect()
gc.freeze()
