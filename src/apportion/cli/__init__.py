"""The command line: one module a command, and no rule of its own about money.

Takes words and files from a person or a script, calls the rooms below, and prints what they gave: text for people,
or with ``--json`` one document of a documented shape. Gives an exit status that scripts can use (see
`apportion.cli.failures`). Never writes the books itself, and never adds up amounts of two currencies.
"""

from apportion.cli.program import main

__all__ = ["main"]
