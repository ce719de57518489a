"""Times a peer's steps as `roentgen bench` times ours, and prints what `compare.py` reads."""

import json
import resource
import time


def measure(peer, films, steps, step):
    """Runs `step`, which gives its loss, twice to warm up and then `steps` times."""
    first = step()
    step()
    times = []
    for _ in range(steps):
        began = time.perf_counter()
        step()
        times.append((time.perf_counter() - began) * 1e3)
    times.sort()
    quantile = lambda share: times[round((len(times) - 1) * share)]
    print(json.dumps({
        "peer": peer,
        "first_loss": first,
        "median_ms": quantile(0.5),
        "p95_ms": quantile(0.95),
        "films_per_second": films / quantile(0.5) * 1e3,
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }))
