"""Checking streams: what a decoder observes, judged."""
