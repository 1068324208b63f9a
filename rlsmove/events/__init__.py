"""Scored events of one night, read from and written to lists of any format; leg EMG.

The data's way, a stage a line::

    csv, edf, annot, labels    one format each, and what its labels mean
    event_lists                a file of any of them -> Events of each night
    emg                        leg EMG of a sleep laboratory's EDF -> Events
    scored_events              Events -> movements, series, indices
"""
