"""The version of this software, as reports name it."""

VERSION = "0.1.0.dev0"
