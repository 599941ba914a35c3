"""Text of the generated blocks, a module for what it is of."""
