"""DuckDB for `pandodb-peers`: one request a line on standard input, one answer a line.

Requests are JSON objects with the key "do"; times are taken here, so that neither the pipe nor
JSON is measured. Neighbour: `src/sql/duck.rs` asks.
"""

import json
import re
import sys
import time

import duckdb

# A result of more rows is put into a table: turning rows into objects of Python would cost more
# than the query.
ROWS_TO_FETCH = 1000


def months_later(date, months):
    year, month, day = date
    month += months
    return year + (month - 1) // 12, (month - 1) % 12 + 1, day


def dialect(sql):
    """SQLite's date functions as they are written here, and its types' names."""

    def shifted(match):
        date = tuple(int(part) for part in match.group(1).split("-"))
        count, unit = int(match.group(2)), match.group(3)
        if unit == "day":
            import datetime

            moved = datetime.date(*date) + datetime.timedelta(days=count)
            return f"'{moved.isoformat()}'"
        year, month, day = months_later(date, count * (12 if unit == "year" else 1))
        return f"'{year:04}-{month:02}-{day:02}'"

    sql = re.sub(r"date\('([0-9-]+)', '([+-]\d+) (day|month|year)s?'\)", shifted, sql)
    sql = re.sub(r"strftime\('%Y', (\w+)\)", r"substr(\1, 1, 4)", sql)
    return sql


def types(sql):
    # REAL has 32 bits in DuckDB.
    return re.sub(r"\bINTEGER\b", "BIGINT", re.sub(r"\bREAL\b", "DOUBLE", sql))


class Driver:
    def __init__(self):
        self.connection = None

    def open(self, request):
        self.connection = duckdb.connect(request["path"])
        return {"version": duckdb.__version__}

    def batch(self, request):
        for statement in filter(str.strip, types(request["sql"]).split(";")):
            self.connection.execute(statement)
        return {}

    def copy(self, request):
        self.connection.execute(
            f"INSERT INTO {request['table']} SELECT * FROM read_csv(?, header = false, "
            "all_varchar = true, quote = '\"', escape = '\"')",
            [request["file"]],
        )
        return {}

    def ask(self, request):
        sql = dialect(request["sql"])
        rows = self.connection.execute(f"SELECT count(*) FROM ({sql})").fetchone()[0]
        count = 0
        start = time.perf_counter_ns()
        while count < 1000 and time.perf_counter_ns() - start < 20_000_000:
            if rows > ROWS_TO_FETCH:
                self.connection.execute(f"CREATE OR REPLACE TEMP TABLE sink AS {sql}")
            else:
                self.connection.execute(sql).fetchall()
            count += 1
        return {"nanoseconds": (time.perf_counter_ns() - start) / count, "rows": rows}


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
