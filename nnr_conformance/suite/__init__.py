"""The conformance suite: the registry of requirements, and what is measured against it."""
