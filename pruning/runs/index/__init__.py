"""An index of runs, so that lists of thousands are quick: what is shown of a run in a list, in columns of a database.

Folders stay the truth. The index is filled from them and refreshed by what changed in them, is made anew where it is
damaged or of another version, and nothing but lists is read from it: whoever opens a run reads its folder.

    index = index_of(default_runs_dir())
    index.look()                                     # what changed since the last look
    found = index.find(Query(text="resnet", sort="macs"))
    found.runs, found.total

The database lies beside the server, on a local disk, wherever the runs lie; several processes may use one at a time.
"""
