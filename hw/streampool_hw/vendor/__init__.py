"""What a family of devices has of its own, and models of it."""
