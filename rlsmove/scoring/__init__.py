"""From leg movements to candidates, periodic series and indices."""

from rlsmove.scoring.scored_movements import Scoring, score_movements

__all__ = ["Scoring", "score_movements"]
