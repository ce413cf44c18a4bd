"""Certifying encoders: a battery of models, what an encoder makes of each, and a certificate of all of it."""
