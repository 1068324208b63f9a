"""Studies: the folder, the plan, and nights with massage compared with nights without.

The data's way, a stage a line::

    columns, tables, folder    files -> Study, and everything that is wrong with them
    schedule, assignments      how nights got their arms -> every sequence that could have been
    shift_test, contrast       night values and schedule -> estimate, p and interval
    person, cohort, claims     contrasts -> what a comparison says
    comparison                 the above in order -> comparison.json
"""
