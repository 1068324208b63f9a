"""Leg movements in sleep, from the accelerometer's file to the comparison of nights.

The data's way, a stage a line::

    devices     file -> Recording, in blocks of samples
    signal      Recording -> Night: uniform clock, calibrated, worn; movement signal and noise
    movements   Night -> leg movements of one leg, of both legs on one clock
    scoring     leg movements -> CLM, PLM series, indices
    night       the stages of a night in their order
    results     a night's files, written and read back
    study       the folder of a study: tables, diaries, plan
    comparison  night results and plan -> contrast of one person, of a cohort
    report      results -> pages to look at
"""
