"""A pooled connection that the server has closed is noticed without asking the server before every use."""

from __future__ import annotations

import psycopg
import pytest
from django.db import connection
from psycopg_pool import ConnectionPool

from lipei.store.postgresql.base import check


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often the server was asked."""
    questions: list[int] = []
    ask = ConnectionPool.check_connection

    def counting(one: psycopg.Connection) -> None:
        questions.append(one.info.backend_pid)
        ask(one)

    monkeypatch.setattr(ConnectionPool, "check_connection", staticmethod(counting))
    return questions


def test_who_lives_is_not_asked_and_who_died_is_replaced(db: None, asked: list[int]) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL has a server to lose")
    described = connection.get_connection_params()
    here = {name: described[name] for name in ("dbname", "user", "password", "host", "port") if described.get(name)}
    with ConnectionPool(kwargs={**here, "autocommit": True}, min_size=1, max_size=1, check=check, timeout=20) as pool:
        for _ in range(2):
            with pool.connection() as one:
                first = one.info.backend_pid
        assert asked == []
        with psycopg.connect(**here, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [first])
            while other.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [first]).fetchone():
                pass
        with pool.connection() as one:
            assert one.execute("SELECT 1").fetchone() == (1,)
            assert one.info.backend_pid != first
        assert asked == [first]


def test_the_product_reads_it_off_the_socket() -> None:
    if connection.vendor == "postgresql" and connection.settings_dict["OPTIONS"].get("pool"):
        assert connection.pool._check is check
    from lipei.config.environment import database

    assert database("postgresql://a:b@127.0.0.1/c", None, 4)["ENGINE"] == "lipei.store.postgresql"
