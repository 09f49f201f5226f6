"""Does every cent of the providers' bill land exactly once? The comparison from end to end.

Takes what each room of the flow gave for one billing period; gives a `TieOut`: the sum at every stage in each
currency, and once more in the reporting currency, with every difference between neighbours by its amount, name and
reason. Each stage is added up from its own documents, never from a neighbour's sum. Changes nothing and explains
nothing away: a difference without a reason stays one, and then the tie-out does not hold.
"""

from apportion.tie_out.compare import tie_out
from apportion.tie_out.render import document, render_json, render_text
from apportion.tie_out.stage import Detail, Difference, InCurrency, Part, Reporting, Row, Stage, TieOut

__all__ = [
    "Detail",
    "Difference",
    "InCurrency",
    "Part",
    "Reporting",
    "Row",
    "Stage",
    "TieOut",
    "document",
    "render_json",
    "render_text",
    "tie_out",
]
