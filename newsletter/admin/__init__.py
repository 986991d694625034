from . import editions, subscribers

__all__ = ["editions", "subscribers"]
