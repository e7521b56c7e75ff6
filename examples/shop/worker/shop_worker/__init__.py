"""Background jobs of the shop."""

__version__ = "0.9.1"
