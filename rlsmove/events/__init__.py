"""Scored events of one night, read from and written to lists of any format; leg EMG.

The data's way, a stage a line::

    labels, written_times, stage_codes    what labels, times and numbers of stages mean
    csv, edf, annot, tables, domino, xml, sleep_reports    one format each
    event_lists                a file of any of them -> Events of each night
    emg                        leg EMG of a sleep laboratory's EDF -> Events
    scored_events              Events -> movements, series, indices
"""
