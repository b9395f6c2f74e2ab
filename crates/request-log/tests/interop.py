"""Reads the datasets of a request log as users do: with pandas, pyarrow and DuckDB.

usage: interop.py DATASETS EXPECTED

DATASETS is the folder `datasets` of a log; EXPECTED is a JSON list of rows, each an object with the
columns that are not null. Prints `ok` and ends with 0 when all of them are found as they are.
"""

import datetime
import json
import math
import pathlib
import sys

import duckdb
import pandas
import pyarrow
import pyarrow.dataset
import pyarrow.parquet

DTYPES = {
    "request_id": "str",
    "row": "uint32",
    "time": "datetime64[us, UTC]",
    "seq": "int64",
    "predictor": "str",
    "revision": "str",
    "status": "int32",
    "latency": "float64",
    "error": "str",
    "x.a": "float64",
    "x.b c": "float64",
    "y.score": "float64",
    "y.class": "str",
    "y.count": "float64",  # pandas has no integers with nulls, unless asked for
    "y.ok": "object",
    "request": "str",
    "response": "str",
}


EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def check(condition, message):
    if not condition:
        raise SystemExit(f"interop.py: {message}")


def same(actual, expected):
    if expected is None:
        return actual is None or (isinstance(actual, float) and math.isnan(actual)) or actual is pandas.NA
    if expected == "NaN":
        return isinstance(actual, float) and math.isnan(actual)
    return actual == expected


def check_rows(reader, rows, expected):
    check(len(rows) == len(expected), f"{reader} finds {len(rows)} rows instead of {len(expected)}")
    for actual, row in zip(rows, expected):
        for name in DTYPES:
            if name in ("time", "seq", "latency"):
                continue
            value = actual[name]
            check(same(value, row.get(name)), f"{reader} reads {name} = {value!r} instead of {row.get(name)!r}")
        time = actual["time"]
        if isinstance(time, pandas.Timestamp):
            time = time.to_pydatetime()
        micros = (time - EPOCH) // datetime.timedelta(microseconds=1)
        check(micros == row["time"], f"{reader} reads time {time!r}")
        check(actual["latency"] == row["latency"], f"{reader} reads latency {actual['latency']!r} seconds")
        day = str(actual["day"])[:10]
        check(day == row["day"], f"{reader} reads day {day!r} instead of {row['day']!r}")


def with_pyarrow(folder, expected):
    files = sorted(folder.rglob("*.parquet"))
    schema = pyarrow.unify_schemas([pyarrow.parquet.read_schema(file) for file in files])
    latency = schema.field("latency")
    check(latency.metadata[b"unit"] == b"s", f"the unit of latency is {latency.metadata}")
    check(schema.field("time").type == pyarrow.timestamp("us", "UTC"), f"time is {schema.field('time').type}")
    schema = schema.append(pyarrow.field("day", pyarrow.string()))
    dataset = pyarrow.dataset.dataset(folder, partitioning="hive", schema=schema)
    table = dataset.to_table().sort_by([("seq", "ascending"), ("row", "ascending")])
    check_rows("pyarrow", table.to_pylist(), expected)
    some = dataset.to_table(filter=pyarrow.dataset.field("request_id") == expected[0]["request_id"])
    check(some.num_rows == sum(row["request_id"] == expected[0]["request_id"] for row in expected), "pyarrow filters wrongly")
    for file in files:
        check_file(file)
    return schema


def check_file(path):
    metadata = pyarrow.parquet.ParquetFile(path).metadata
    names = metadata.schema.names
    for group in (metadata.row_group(index) for index in range(metadata.num_row_groups)):
        check(group.num_rows <= 32 * 1024, f"{path} has a row group of {group.num_rows} rows")
        columns = {name: group.column(index) for index, name in enumerate(names)}
        compressions = {column.compression for column in columns.values()}
        check(compressions == {"LZ4", "UNCOMPRESSED"}, f"{path} is compressed with {compressions}")  # LZ4 is LZ4_RAW here
        check(columns["seq"].statistics.has_min_max, f"{path} has no statistics")
        for name, column in columns.items():
            has_dictionary = name in ("predictor", "revision", "error")
            check(column.has_dictionary_page == has_dictionary, f"{path}: {name} has a dictionary or has none")


def with_pandas(folder, expected, schema):
    frame = pandas.read_parquet(folder, schema=schema).sort_values(["seq", "row"])
    for name, dtype in DTYPES.items():
        check(str(frame[name].dtype) == dtype, f"pandas reads {name} as {frame[name].dtype}")
    check_rows("pandas", frame.to_dict("records"), expected)
    plain = pandas.read_parquet(folder)
    check(len(plain) == len(expected), f"pandas finds {len(plain)} rows by itself")
    check({str(day) for day in plain["day"]} == {row["day"] for row in expected}, "pandas finds other days")
    one = pandas.read_parquet(sorted(folder.rglob("*.parquet"))[0])
    check(str(one["time"].dtype) == "datetime64[us, UTC]", f"pandas reads time as {one['time'].dtype}")


def with_duckdb(folder, expected):
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    source = f"read_parquet('{folder}/**/*.parquet', hive_partitioning=true, union_by_name=true)"
    types = {name: kind for name, kind, *_ in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
    wanted = {
        "request_id": "VARCHAR", "row": "UINTEGER", "time": "TIMESTAMP WITH TIME ZONE", "seq": "BIGINT", "status": "INTEGER",
        "latency": "DOUBLE", "x.a": "DOUBLE", "y.count": "BIGINT", "y.ok": "BOOLEAN", "y.class": "VARCHAR", "day": "DATE",
    }  # fmt: skip
    for name, kind in wanted.items():
        check(types[name] == kind, f"DuckDB reads {name} as {types[name]}")
    # DuckDB needs pytz to hand a time with its zone to Python.
    names = [name for name in DTYPES if name != "time"] + ["day"]
    quoted = ", ".join(f'"{name}"' for name in names)
    rows = connection.execute(f'SELECT {quoted}, epoch_us("time") FROM {source} ORDER BY seq, row').fetchall()
    rows = [dict(zip([*names, "time"], row)) for row in rows]
    for row in rows:
        row["time"] = EPOCH + datetime.timedelta(microseconds=row["time"])
    check_rows("DuckDB", rows, expected)
    count = f"SELECT count(*) FROM {source} WHERE request_id = ? AND day = ?"
    found = connection.execute(count, [expected[0]["request_id"], expected[0]["day"]]).fetchone()[0]
    check(found > 0, "DuckDB does not find a request by its id and day")


def main():
    folder, expected = pathlib.Path(sys.argv[1]), json.loads(pathlib.Path(sys.argv[2]).read_text())
    schema = with_pyarrow(folder, expected)
    with_pandas(folder, expected, schema)
    with_duckdb(folder, expected)
    print(f"ok: {len(expected)} rows with pandas {pandas.__version__}, pyarrow {pyarrow.__version__}, DuckDB {duckdb.__version__}")


main()
