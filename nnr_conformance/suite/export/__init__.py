"""The specification as one document for programs in other languages."""
