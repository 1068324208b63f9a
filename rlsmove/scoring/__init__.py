"""From leg movements to candidates, periodic series and indices."""

from rlsmove.records import Scoring
from rlsmove.scoring.indices import INDICES, index_notices, night_indices
from rlsmove.scoring.night_tables import night_tables
from rlsmove.scoring.scored_movements import score_movements, side_by_side

__all__ = [
    "INDICES",
    "Scoring",
    "index_notices",
    "night_indices",
    "night_tables",
    "score_movements",
    "side_by_side",
]
