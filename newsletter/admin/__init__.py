from . import editions, reports, subscribers

__all__ = ["editions", "reports", "subscribers"]
