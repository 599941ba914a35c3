"""Pooling in software: what a contender is given, who they are, and how they are timed.

`task` is what a contender gets and has to give back, `contenders` holds them by runtime, `timing`
times them, `shares` what pooling takes of whole networks, and `machine` says what all ran on.
"""
