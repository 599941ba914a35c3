"""Arithmetic before and after the stages: preprocess, divide, root, round, requantise, clamp."""
