"""A person's second look at a night: edits kept beside it, and the night scored with them.

``edits`` reads and appends to edits.jsonl; ``reviewed_night`` applies them to the night before
scoring; ``night_folder`` opens all that a night's folder holds. What the detector found is never
changed.
"""

from rlsmove.review.edits import EDITS_FILE, Edit
from rlsmove.review.night_folder import NightFolder, open_night, reviewed_indices

__all__ = ["EDITS_FILE", "Edit", "NightFolder", "open_night", "reviewed_indices"]
