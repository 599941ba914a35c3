"""Engines that run a core cycle by cycle."""
