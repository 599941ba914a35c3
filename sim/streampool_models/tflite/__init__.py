"""TFLite: files are read by this package alone, and run by LiteRT."""

from .model import read as read
