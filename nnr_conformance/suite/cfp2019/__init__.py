"""The nine pipelines of the 2019 call for proposals, run on small networks of their own."""
