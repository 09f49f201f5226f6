"""One statement for every holder of cost: what it carries, line by line, and why.

Takes an `Allocation`, the tree and the policy it was made with; gives `Statement`s with names, owners and coding
copied in, so that nothing on them changes later, and writes them as JSON, CSV, text and HTML. Settles no cent and
divides nothing: every amount is the allocation's own.
"""
