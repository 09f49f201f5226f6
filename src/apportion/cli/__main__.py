"""``python -m apportion.cli``: the same as the command ``apportion``."""

import sys

from apportion.cli.program import main

sys.exit(main())
