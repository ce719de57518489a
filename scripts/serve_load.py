#!/usr/bin/env python3
"""Sends films to a running `roentgen serve` from many clients at once and prints what happened.

    roentgen serve MODEL --no-gate &
    python3 scripts/serve_load.py http://127.0.0.1:8000 FOLDER --in-flight 200 --seconds 120 --pid PID

FOLDER has the films (`*.png`). Each of the clients keeps one connection and sends one film at a time;
a film that gets 503 is counted and not sent again. With `--pid` the memory of the server is read from
/proc: after a quarter of the time (warm-up), and its highest value from then on. The last line is JSON.
The exit status is 1 if a connection failed, an answer was neither 200 nor 503, or none was 200.
Only Python's standard library is used.
"""

import argparse
import http.client
import json
import pathlib
import sys
import threading
import time
import urllib.parse


def memory_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return None


def quantile(values, share):
    return values[min(len(values) - 1, int(share * len(values)))] if values else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--in-flight", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--pid", type=int)
    args = parser.parse_args()
    films = [path.read_bytes() for path in sorted(args.folder.rglob("*.png"))]
    if not films:
        parser.error(f"{args.folder} has no films (*.png)")
    place = urllib.parse.urlsplit(args.url)
    end = time.monotonic() + args.seconds
    lock, statuses, times, faults = threading.Lock(), {}, [], []

    def client(number):
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=120)
        headers = {"content-type": "application/octet-stream"}
        while time.monotonic() < end:
            film = films[number % len(films)]
            number += args.in_flight
            start = time.monotonic()
            try:
                connection.request("POST", "/v1/predict", film, headers)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as error:
                with lock:
                    faults.append(repr(error))
                connection.close()
                continue
            with lock:
                statuses[answer.status] = statuses.get(answer.status, 0) + 1
                if answer.status == 200:
                    times.append(time.monotonic() - start)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(args.in_flight)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    warm, highest = None, None
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.5)
        if args.pid and time.monotonic() - start > args.seconds / 4:
            now = memory_mib(args.pid)
            warm = warm or now
            highest = max(highest or now, now)
    took = time.monotonic() - start
    times.sort()
    result = {
        "seconds": round(took, 1),
        "in_flight": args.in_flight,
        "films_of_folder": len(films),
        "statuses": statuses,
        "connection_faults": len(faults),
        "films_per_second": round(len(times) / took, 2),
        "p50_s": quantile(times, 0.50),
        "p95_s": quantile(times, 0.95),
        "p99_s": quantile(times, 0.99),
        "memory_after_warm_up_mib": warm,
        "memory_highest_after_mib": highest,
    }
    print(json.dumps(result))
    is_good = not faults and 200 in statuses and set(statuses) <= {200, 503}
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
