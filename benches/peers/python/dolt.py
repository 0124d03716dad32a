"""DoltLite for `pandodb-peers`: one request a line on standard input, one answer a line.

DoltLite takes the place of SQLite below Python's own module, so it runs inside of this process;
times are taken here. Neighbour: `src/branching/dolt.rs` asks.
"""

import csv
import json
import os
import sys
import threading
import time

import doltlite  # noqa: F401  (puts DoltLite below sqlite3)
import sqlite3


def connect(path):
    connection = sqlite3.connect(path, isolation_level=None, timeout=60, check_same_thread=False)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA cache_size = -262144")
    return connection


class Driver:
    def open(self, request):
        self.path = request["path"]
        self.connection = connect(self.path)
        return {"version": doltlite.__version__}

    def load(self, request):
        self.connection.executescript(request["schema"])
        self.connection.execute("BEGIN")
        with open(request["file"], newline="") as file:
            rows = csv.reader(file)
            self.connection.executemany(request["insert"], rows)
        self.connection.execute("COMMIT")
        return {}

    def run(self, request):
        """Statements, timed together; the number of rows of the last."""
        rows = []
        start = time.perf_counter_ns()
        for sql in request["sql"]:
            rows = self.connection.execute(sql).fetchall()
        took = time.perf_counter_ns() - start
        first = rows[0][0] if rows and isinstance(rows[0][0], (int, float, str)) else None
        return {"nanoseconds": took, "rows": len(rows), "first": first}

    def size(self, request):
        return {"first": os.path.getsize(self.path)}

    def writers(self, request):
        """A writer for each branch, each on a connection of its own; the time of one commit."""
        barrier = threading.Barrier(len(request["branches"]) + 1)
        failures = []

        def work(branch, keys):
            waited = False
            try:
                connection = connect(self.path)
                connection.execute("SELECT dolt_checkout(?)", (branch,))
                waited = True
                barrier.wait()
                for key in keys:
                    connection.execute("UPDATE items SET val = val + 1.5 WHERE id = ?", (key,))
                connection.close()
            except Exception as error:
                failures.append(f"{branch}: {error}")
                if not waited:
                    barrier.wait()

        pairs = zip(request["branches"], request["keys"])
        threads = [threading.Thread(target=work, args=pair) for pair in pairs]
        for thread in threads:
            thread.start()
        barrier.wait()
        start = time.perf_counter_ns()
        for thread in threads:
            thread.join()
        took = time.perf_counter_ns() - start
        if failures:
            raise RuntimeError("; ".join(failures))
        return {"nanoseconds": took / sum(map(len, request["keys"]))}


def main():
    driver = Driver()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(driver, request["do"])(request)
        except Exception as error:  # the other side decides what an error means
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
