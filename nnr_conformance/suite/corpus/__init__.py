"""The golden streams: recipes, what the streams of each must give, and who agrees on it."""
