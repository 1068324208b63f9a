"""From the samples of a recording to the night on a uniform clock, calibrated and known to be worn.

``survey`` reads a recording once and keeps 10-s statistics; ``calibration`` and ``wear`` work on
those; ``uniform_clock`` reads it again, resampled, and ``nights`` cuts it from noon to noon.
"""
