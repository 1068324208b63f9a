"""From the night of one leg to its movements, and from two legs to one clock."""

from rlsmove.movements.leg_movements import detect_leg_movements

__all__ = ["detect_leg_movements"]
