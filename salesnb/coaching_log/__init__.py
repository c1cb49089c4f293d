"""What the coaching log tells: who was coached on what, what was agreed, and whether it worked."""

__all__: list[str] = []
