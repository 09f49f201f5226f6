"""Apportion closes the cloud bill: every cent of the provider invoice lands exactly once."""
