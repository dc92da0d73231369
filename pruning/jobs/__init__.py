"""Work in another process: one protocol for runs, scans, profiles, races and reports, which knows nothing of them.

A job is a folder of objects; equal work has one job, so that all visitors share it. Each time it is begun is an
attempt of its own, of which only one works:

    attempts/0001/asked.json     made first and exclusively, by whoever asks for the work: its process
    attempts/0001/started.json   the process that was started for it, noted by the one that started it
    attempts/0001/worker.json    the process that works, noted by itself before it imports anything large
    attempts/0001/now.json       what goes on, with a counter that shows that it goes on
    attempts/0001/events/000001.jsonl, ...   what it tells, a few pieces a second at most
    attempts/0001/cancel         asks it to stop
    attempts/0001/log            what it printed
    attempts/0001/manifest.json  made last and exclusively: how it ended, and its files with sizes and SHA-256

States follow from the objects and from whether those processes live: no clock decides.
"""
