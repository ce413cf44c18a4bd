"""Reducing a stream that shows a finding to a small one that shows the same and can be published.

A stream is taken apart into its syntax elements and written again with fewer of them, so that sizes, counts, entry
points and payloads always fit what is left; what cannot be read is reduced byte by byte.
"""
