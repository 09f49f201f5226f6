"""The example company: a year of bills from six vendors, its own usage, and the documents to close its months with.

Takes a directory and a number of rows, gives a workspace and the deliveries in the order they arrive; the same bytes
for the same arguments. Nobody in it is real. Never ingests, allocates or closes: that is left to the faces.
"""

from apportion.demo.delivery import DemoCompany, DemoDelivery, DemoTotal
from apportion.demo.write import write

__all__ = ["DemoCompany", "DemoDelivery", "DemoTotal", "write"]
