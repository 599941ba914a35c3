"""Long work on one machine or many: tasks, a store of their results, and who does them when.

The truth is in the store: a file per result. Who runs what is Dask's matter, which may forget it at
any time: the processes that it starts may be killed, and so may its scheduler and the command.
"""
