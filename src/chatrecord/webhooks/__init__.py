"""Events as webhooks, signed by the Standard Webhooks scheme."""

from .relay import relay

__all__ = ["relay"]
