"""Studies: the folder, its tables and their check, diaries, and the plan.

The data's way, a stage a line::

    columns, tables, folder    files -> Study, and everything that is wrong with them
    placed_files               files as people name them -> person, leg, night, and why
    diaries                    diaries as people keep them -> nights.tsv
    intake                     a folder of files and a diary -> a study folder
    schedule, assignments      how nights got their arms -> every sequence that could have been
    plan                       the order of nights, drawn and frozen
"""
