CREATE TABLE deployments (
    namespace  TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    generation INTEGER NOT NULL,
    record     TEXT    NOT NULL,
    PRIMARY KEY (namespace, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE changes (
    position   INTEGER PRIMARY KEY AUTOINCREMENT,
    namespace  TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    generation INTEGER NOT NULL,
    time       INTEGER NOT NULL,
    author     TEXT    NOT NULL,
    message    TEXT,
    document   TEXT
) STRICT;

CREATE INDEX changes_by_deployment ON changes (namespace, name, position);
