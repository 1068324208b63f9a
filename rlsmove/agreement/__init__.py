"""How far two scorings of the same nights agree: events, indices, and the two side by side."""
