"""The queue of one machine: what waits, in which order it is served, and how many are served at once.

    queue/lock                held for an instant by whoever changes something below
    queue/tickets/000012.json a job that waits or is being carried out: who asked for it, and what is to be done
    queue/claims/000012.lock  held by the process that carries it out, as long as it lives
    queue/slots/0.lock, ...   one for each job that this machine carries out at once, held likewise
    queue/seats/0.lock, ...   one for each process of the pool, held as long as it lives, whether it works or waits
    queue/forkserver.lock     held by the process that forks those
    queue/keepers.lock        held by all servers together
    queue/counts.json         the last ticket's number, and the latest round of which a job was begun
    queue/durations.json      how long jobs took here

A ticket costs a file: no process, no memory. It goes when its job has ended, so what a killed process, server or
machine leaves behind is taken up by the next process that looks. Commands and notebooks stand in the same line with a
ticket of their own, which only their own process may carry out.
"""
