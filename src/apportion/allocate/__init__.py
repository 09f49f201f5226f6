"""Every charge goes to a cost group or a pool by the first rule that matches; pools are shared by their method.

Takes a policy, the organization and the warehouse's cube; gives an `Allocation`: cells, shares and lines whose
amounts add up to what came in. Never reads a file of charges itself and never rounds before the lines.
"""
