from . import subscribers

__all__ = ["subscribers"]
