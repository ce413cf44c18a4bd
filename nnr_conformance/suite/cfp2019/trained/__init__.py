"""Weights of the three networks, the images to test them with, and the script that made both."""
