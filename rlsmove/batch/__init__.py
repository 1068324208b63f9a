"""A cohort in one batch: every night of every person, whatever single files and workers do.

The data's way, a stage a line::

    work_list                        study folder, folder or glob -> persons, recordings, diary
    tasks                            what one worker does: read a recording, score a night
    local_workers, cluster_workers   where tasks run, and what becomes of those that hang or die
    night_folder                     what makes a night finished, and why another is not
    person_nights                    one person's tasks in their order -> rows of nights.csv
    run                              all persons over all workers, with retries and progress
    shards                           parts of a batch on several machines, and their merging
    cohort_tables, cohort_store      rows -> nights.csv, failures.csv, provenance.json, cohort.h5
"""

from rlsmove.batch.run import BatchResult, run_batch
from rlsmove.batch.shards import merge_shards

__all__ = ["BatchResult", "merge_shards", "run_batch"]
