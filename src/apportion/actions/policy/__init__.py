"""Versions of the policy: written, simulated, proposed and approved; and rules from answers to "who owns this?"."""
