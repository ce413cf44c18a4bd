"""Running implementations that are not this one: cases, processes, comparison, results.

A case goes to an implementation in a process of its own, its answer is judged against what the case expects, and the
result is a small value that travels between processes and machines.
"""
