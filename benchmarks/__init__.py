"""Measurements that the documentation quotes; each prints its own numbers."""
