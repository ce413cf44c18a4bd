"""Declarations of every syntax structure of clauses 6 and 8 to 10, in the order and with the names of the standard."""
