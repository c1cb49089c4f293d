"""What a plan pays for past deals, line by line; in whole cents, so that every sum adds up."""

from salesnb.pay.coins import Coins
from salesnb.pay.earned import EARNED, chosen, earned, margins, per_product, per_rep

__all__ = ["EARNED", "Coins", "chosen", "earned", "margins", "per_product", "per_rep"]
