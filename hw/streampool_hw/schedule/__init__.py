"""What happens in which slot: plans in plain Python, and the counters that play them."""
