"""The SQL of a search: which texts fit a query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    TextClause,
    and_,
    bindparam,
    func,
    literal_column,
    not_,
    null,
    or_,
    select,
    text,
)

from chatrecord.sqlalchemy.generics import Expression, Query
from chatrecord.sqlalchemy.types import is_mysql
from chatrecord.store.chat_store import Scope
from chatrecord.text.search_query import SearchQuery, Term

from .search_index import (
    LONGEST_INDEXED,
    PREFIX,
    ROLES,
    SEPARATORS,
    SearchIndex,
    SearchTable,
)
from .statements import Statements

_SPACES = str.maketrans(dict.fromkeys(SEPARATORS, " "))

_MYSQL_STOPWORDS = frozenset(
    ("a", "about", "an", "are", "as", "at", "be", "by", "com", "de", "en", "for", "from", "how",
     "i", "in", "is", "it", "la", "of", "on", "or", "that", "the", "this", "to", "was", "what",
     "when", "where", "who", "will", "with", "und", "www")
)  # fmt: skip
"""The words that InnoDB does not index, unless it is told otherwise."""

_MYSQL_LONGEST = 84

_POSTGRESQL_PLACES = 255
"""Of how many occurrences of a word PostgreSQL keeps the places. It keeps no place after the
16,383rd word."""


@dataclass(frozen=True)
class Search:
    """The texts within a scope that fit a query."""

    sql: Statements
    index: SearchIndex
    query: SearchQuery
    scope: Scope
    superseded: bool
    shortest_word: int = 1
    """Characters of the shortest word in the index: MySQL and MariaDB leave shorter ones out."""

    def of_messages(self) -> Query:
        """Messages, the newest first."""
        sql, message = self.sql, self.sql.message
        fitting = [
            message.role.in_([literal_column(f"'{role}'") for role in ROLES]),
            *self._fitting(message.text, self.index.messages, message.id),
            *sql.within(self.scope),
            *sql.kept(),
        ]
        if not self.superseded:
            fitting.append(message.status != "superseded")
        of_chat = sql.chat.id == message.chat_id
        ids = select(message.id.label("id")).join(sql.chat.table, of_chat).where(*fitting)
        # As it is: planners would read the newest messages of all owners until enough fit.
        found = ids.cte("found").prefix_with("MATERIALIZED", dialect="postgresql")
        most = bindparam("most", type_=Integer)
        newest = select(found.c.id).order_by(found.c.id.desc()).limit(most).cte("newest")
        return (
            select(
                message.id.label("message_id"),
                message.chat_id.label("chat_id"),
                message.seq.label("seq"),
                message.role.label("role"),
                message.created_at.label("created_at"),
                self._cut(message.text).label("text"),
                sql.chat.title.label("title"),
            )
            .join(sql.chat.table, of_chat)
            .where(message.id.in_(select(newest.c.id)))
            .order_by(message.id.desc())
        )

    def of_titles(self) -> Query:
        """Chats by their titles, the newest first."""
        chat = self.sql.chat
        return (
            select(
                null().label("message_id"),
                chat.id.label("chat_id"),
                null().label("seq"),
                literal_column("'title'").label("role"),
                chat.created_at.label("created_at"),
                chat.title.label("text"),
                chat.title.label("title"),
            )
            .where(
                *self._fitting(chat.title, self.index.chats, chat.id),
                *self.sql.within(self.scope),
                *self.sql.kept(),
            )
            .order_by(chat.id.desc())
            .limit(bindparam("most", type_=Integer))
        )

    def _cut(self, column: Expression) -> Expression:
        return func.substr(column, 1, bindparam("longest", type_=Integer), type_=column.type)

    def _fitting(
        self, column: Expression, table: SearchTable, key: Expression
    ) -> list[ColumnElement[bool] | TextClause]:
        """What is asked of the index, and of the texts themselves."""
        by_index = [term for term in self.query.wanted if self._is_indexed(term)]
        not_by_index = [term for term in self.query.excluded if self._is_indexed(term)]
        rest = [term for term in self.query.wanted if not self._is_indexed(term)]
        rest_excluded = [term for term in self.query.excluded if not self._is_indexed(term)]
        conditions: list[ColumnElement[bool] | TextClause] = []
        if is_mysql(self.index.dialect):
            if by_index:
                conditions.append(self._mysql(table, by_index, not_by_index))
            else:
                rest_excluded += not_by_index
        elif self.index.dialect.name == "postgresql":
            conditions += self._postgresql(column, by_index, not_by_index)
        elif by_index:
            conditions.append(self._sqlite(key, by_index, not_by_index))
        else:
            rest_excluded += not_by_index
        conditions += [self._contains(column, table, term) for term in rest]
        conditions += [not_(self._contains(column, table, term)) for term in rest_excluded]
        return conditions

    def _is_indexed(self, term: Term) -> bool:
        if term.has_no_words:
            return False
        if not is_mysql(self.index.dialect):
            return True
        return all(
            self.shortest_word <= len(word) <= _MYSQL_LONGEST
            and word.lower() not in _MYSQL_STOPWORDS
            for word in term.words
        )

    # PostgreSQL

    def _postgresql(
        self, column: Expression, wanted: Sequence[Term], excluded: Sequence[Term]
    ) -> Iterable[ColumnElement[bool]]:
        head = func.left(column, literal_column("2"))
        yield head != literal_column("''")
        yield head != literal_column("chr(26) || ':'")
        signs = SEPARATORS.replace("'", "''")
        separated = func.translate(
            func.left(column, literal_column(str(LONGEST_INDEXED))),
            literal_column(f"'{signs}'"),
            literal_column(f"'{' ' * len(SEPARATORS)}'"),
        )
        vector = func.to_tsvector(self._language, separated)
        for term in wanted:
            yield self._in_vector(vector, separated, term)
        for term in excluded:
            yield not_(self._in_vector(vector, separated, term))

    def _in_vector(
        self, vector: Expression, separated: Expression, term: Term
    ) -> ColumnElement[bool]:
        """Whether a text has the term: by its vector, or where that has no places, by itself."""
        follow = vector.bool_op("@@")(self._tsquery(term))
        if len(term.words) == 1:
            return follow
        pattern = r"\m" + r"\W+".join(term.words) + ("" if term.is_prefix else r"\M")
        as_written = separated.regexp_match(bindparam(None, pattern, String), flags="i")
        # A word of one letter and a space: no shorter text has more occurrences than places.
        is_long = func.length(separated) > literal_column(str(2 * _POSTGRESQL_PLACES))
        has_all = vector.bool_op("@@")(self._tsquery_of_all(term))
        return and_(has_all, or_(follow, and_(is_long, as_written)))

    @property
    def _language(self) -> Expression:
        return literal_column(f"'{self.index.language}'::regconfig")

    def _tsquery(self, term: Term) -> Expression:
        words = term.text.translate(_SPACES)
        if term.is_prefix:
            return func.to_tsquery(self._language, bindparam(None, f"'{words}':*", String))
        return func.phraseto_tsquery(self._language, bindparam(None, words, String))

    def _tsquery_of_all(self, term: Term) -> Expression:
        words = [f"'{word}'" for word in term.text.translate(_SPACES).split()]
        asked = " & ".join(words) + (":*" if term.is_prefix else "")
        return func.to_tsquery(self._language, bindparam(None, asked, String))

    # MySQL and MariaDB

    def _mysql(
        self, table: SearchTable, wanted: Sequence[Term], excluded: Sequence[Term]
    ) -> TextClause:
        asked = [f"+{_boolean(term)}" for term in wanted]
        asked += [f"-{_boolean(term)}" for term in excluded]
        column = self._search_column(table)
        parameter = f"words_{table.name}"
        clause = text(f"MATCH ({column}) AGAINST (:{parameter} IN BOOLEAN MODE)")
        return clause.bindparams(bindparam(parameter, " ".join(asked), String))

    def _search_column(self, table: SearchTable) -> str:
        return f"{self.index.q(table)}.{self.index.quoted(PREFIX)}"

    # SQLite

    def _sqlite(
        self, key: Expression, wanted: Sequence[Term], excluded: Sequence[Term]
    ) -> ColumnElement[bool]:
        asked = " AND ".join(_fts5(term) for term in wanted)
        if excluded:
            asked = f"({asked}) NOT ({' OR '.join(_fts5(term) for term in excluded)})"
        index = self.index
        words = index.quoted(index.messages.index)
        rows = index.quoted(f"{index.messages.index}_rows")
        of = "message_id" if key is self.sql.message.id else "chat_id"
        parameter = f"words_{of}"
        found = text(  # names of the models only
            f"SELECT {rows}.{of} FROM {words} JOIN {rows} ON {rows}.id = {words}.rowid "
            f"WHERE {words} MATCH :{parameter} AND {rows}.{of} IS NOT NULL"
        ).bindparams(bindparam(parameter, asked, String))
        return key.in_(found)

    # Where the index knows no words

    def _contains(self, column: Expression, table: SearchTable, term: Term) -> ColumnElement[bool]:
        if is_mysql(self.index.dialect):
            return self._contained_in_mysql(table, term)
        pattern = bindparam(None, term.text.lower(), String)
        lowered = func.lower(column, type_=String)
        if self.index.dialect.name == "postgresql":
            return func.strpos(lowered, pattern) > 0
        return func.instr(lowered, pattern) > 0

    def _contained_in_mysql(self, table: SearchTable, term: Term) -> ColumnElement[bool]:
        column: Expression = literal_column(self._search_column(table), String)
        if term.has_no_words:
            return func.locate(bindparam(None, term.text, String), column) > 0
        end = "" if term.is_prefix else r"\b"
        pattern = r"\b" + r"\W+".join(term.words) + end
        return column.regexp_match(bindparam(None, pattern, String))


def described(query: str, names: Mapping[str, str | None]) -> TextClause:
    """A query for what the database knows by these names."""
    return text(query).bindparams(*(bindparam(key, it, String) for key, it in names.items()))


def _boolean(term: Term) -> str:
    """A term as the boolean mode of MySQL takes it. Words are letters and digits only."""
    if len(term.words) > 1:
        return f'"{term.text}"'
    return f"{term.text}*" if term.is_prefix else term.text


def _fts5(term: Term) -> str:
    return f'"{term.text}" *' if term.is_prefix else f'"{term.text}"'
