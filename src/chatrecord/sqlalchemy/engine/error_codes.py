"""The meaning of database errors, by code and never by text.

PostgreSQL: SQLSTATE (appendix A of its manual). MySQL and MariaDB: error numbers, with those of the
client (2000 to 2999). SQLite: primary result codes. Where a code means that the connection is gone,
it is unknown whether its last commit was made; with all others the transaction was undone.
"""

from __future__ import annotations

from enum import Enum, auto


class Nature(Enum):
    """What to do after an error."""

    UNDONE = auto()
    """It may pass, and nothing was written: try again."""
    LOST = auto()
    """It may pass, but what was sent last may have been written: look first."""
    REFUSED = auto()
    """The database will never take this value."""
    LASTING = auto()
    """The database needs an administrator."""


_SQLSTATES = {
    "25006": Nature.UNDONE,  # read-only, as a standby is until it is promoted
    "25P03": Nature.UNDONE,  # idle_in_transaction_session_timeout
    "40001": Nature.UNDONE,  # serialization failure
    "40P01": Nature.UNDONE,  # deadlock
    "53300": Nature.UNDONE,  # too many connections
    "55P03": Nature.UNDONE,  # lock_timeout
    "57014": Nature.UNDONE,  # statement_timeout
    "40003": Nature.LOST,  # completion unknown
}
_SQLSTATE_CLASSES = {
    "08": Nature.LOST,  # the connection
    "57": Nature.LOST,  # shutdown, crash, not up yet
    "22": Nature.REFUSED,  # a value
    "23": Nature.REFUSED,  # a constraint
    "54": Nature.REFUSED,  # too large, too deep
}

_MYSQL_UNDONE = (
    1020,  # the row has changed since the snapshot (MariaDB's innodb_snapshot_isolation)
    1040,  # too many connections
    1047,  # Galera: the node is not ready
    1203,  # too many connections of this user
    1205,  # lock wait timeout
    1213,  # deadlock, and a failed certification of Galera's
    1226,  # max_user_connections, by an account's own limit
    1290,  # read-only
    1317,  # interrupted
    1412,  # the table has just been changed
    1615,  # a statement has to be prepared again
    1792,  # read-only transaction
    1836,  # read-only
    1969,  # max_statement_time
    3024,  # max_execution_time
)
_MYSQL_LOST = (
    1053,  # shutdown
    1077, 1078, 1079,  # shutdown
    1158, 1159, 1160, 1161,  # the network
    1184, 1927,  # the connection was killed
    2002, 2003, 2006, 2012, 2013, 2014, 2055,  # the connection
    4031,  # the server has closed an idle connection
)  # fmt: skip
_MYSQL_REFUSED = (
    1022, 1048, 1062, 1451, 1452, 1557, 1586, 1761, 1762, 3819, 4025,  # a constraint
    1118, 1153, 1264, 1292, 1301, 1366, 1406, 1411, 3140, 3156, 3157,  # a value
    1644,  # a trigger
)  # fmt: skip
_MYSQL = {
    **dict.fromkeys(_MYSQL_UNDONE, Nature.UNDONE),
    **dict.fromkeys(_MYSQL_LOST, Nature.LOST),
    **dict.fromkeys(_MYSQL_REFUSED, Nature.REFUSED),
}

_SQLITE = {
    5: Nature.UNDONE,  # busy
    6: Nature.UNDONE,  # locked
    17: Nature.UNDONE,  # the schema has just been changed
    18: Nature.REFUSED,  # too big
    19: Nature.REFUSED,  # a constraint
    20: Nature.REFUSED,  # the wrong type
}
_PRIMARY = 0xFF
"""An extended result code of SQLite holds the primary one in its lowest byte."""


def nature_of(error: BaseException) -> Nature | None:
    """What a driver's error means; `None` where it has no code."""
    sqlstate = getattr(error, "sqlstate", None)
    number = error.args[0] if error.args else None
    if isinstance(number, int):  # MySQL: its SQLSTATEs tell less than its numbers
        return _MYSQL.get(number, Nature.LASTING)
    if isinstance(sqlstate, str):
        by_class = _SQLSTATE_CLASSES.get(sqlstate[:2], Nature.LASTING)
        return _SQLSTATES.get(sqlstate, by_class)
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else _SQLITE.get(code & _PRIMARY, Nature.LASTING)
