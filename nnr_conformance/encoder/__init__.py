"""Building streams from trees of syntax elements."""
