use proptest::prelude::*;

use super::super::{BadTest, Dialect, Operator, SqlTest};
use super::{ask, ask_some, check_all, list};

fn sql(dialect: Dialect, statements: &[&str], tables: &[&str], functions: &[&str]) -> Operator {
    let given = |entries: &[&str]| (!entries.is_empty()).then(|| list(entries));
    let test = SqlTest::new(
        dialect,
        given(statements).as_deref(),
        given(tables).as_deref(),
        given(functions).as_deref(),
    );
    Operator::sql(test.unwrap())
}

#[test]
fn selects_only() {
    check_all(
        &sql(Dialect::Postgres, &["select"], &[], &[]),
        &[
            ('+', "SELECT 1"),
            ('+', "select * from orders where id = 1;"),
            ('+', "SELECT count(*), lower(name) FROM orders GROUP BY 2 ORDER BY 1 LIMIT 5"),
            ('+', "WITH x AS (SELECT 1) SELECT * FROM x"),
            ('+', "SELECT 1 UNION ALL SELECT 2"),
            ('+', "VALUES (1)"),
            ('+', "SELECT * FROM a WHERE t = 'x; DROP TABLE y; --'"),
            ('+', "SELECT 'it''s', $$DELETE FROM x$$, E'a\\nb'"),
            ('+', "-- the best customers\nSELECT * FROM a /* all */"),
            ('+', "SELECT \"delete\", t.update FROM t"),
            (
                '+',
                "SELECT now(), current_date, CURRENT_USER, extract(year from d), d::date, CAST(a AS int) FROM t",
            ),
            ('+', "SELECT row_number() OVER (PARTITION BY a ORDER BY b) FROM t"),
            ('+', "SELECT pg_catalog.lower(a) FROM t"),
            ('-', "INSERT INTO a VALUES (1)"),
            ('-', "UPDATE a SET x = 1"),
            ('-', "DELETE FROM a"),
            ('-', "WITH x AS (DELETE FROM a RETURNING *) SELECT * FROM x"),
            ('-', "WITH x AS (INSERT INTO a VALUES (1) RETURNING *) SELECT * FROM x"),
            ('-', "SELECT * INTO b FROM a"),
            ('-', "SELECT * FROM a FOR UPDATE"),
            ('-', "EXPLAIN SELECT 1"),
            ('-', "EXPLAIN ANALYZE DELETE FROM a"),
            ('-', "EXPLAIN (ANALYZE true) DELETE FROM a"),
            ('-', "CREATE TABLE b AS SELECT * FROM a"),
            ('-', "DROP TABLE a"),
            ('-', "TRUNCATE a"),
            ('-', "ALTER TABLE a ADD COLUMN b int"),
            ('-', "GRANT ALL ON a TO bob"),
            ('-', "SET ROLE postgres"),
            ('-', "BEGIN"),
            ('-', "VACUUM a"),
            ('-', "COPY a TO STDOUT"),
            ('-', "MERGE INTO a USING b ON a.id = b.id WHEN MATCHED THEN DELETE"),
            ('?', "COPY a TO PROGRAM 'sh'"),
            ('?', "COPY a FROM '/etc/passwd'"),
            ('?', "COPY (SELECT 1) TO '/tmp/x'"),
            ('?', "SELECT 1; DROP TABLE a"),
            ('?', "SELECT 1; SELECT 2"),
            ('?', ""),
            ('?', ";"),
            ('?', "DO $$ BEGIN DELETE FROM a; END $$"),
            ('?', "SELEC 1"),
            ('?', "SELECT pg_read_file('/etc/passwd')"),
            ('?', "SELECT pg_catalog.pg_read_file('/etc/passwd')"),
            ('?', "SELECT lo_import('/etc/passwd')"),
            ('?', "SELECT * FROM dblink('host=x', 'DELETE FROM a')"),
            ('?', "SELECT * FROM dblink('host=x', 'q') AS t(a int)"),
            ('?', "SELECT query_to_xml('delete from a', true, true, '')"),
            ('?', "SELECT pg_sleep(100)"),
            ('?', "SELECT set_config('role', 'postgres', false)"),
            ('?', "SELECT nextval('s')"),
            ('?', "SELECT purge_everything()"),
            ('?', "SELECT public.lower('x')"),
            ('?', "SELECT \"pg_read_file\"('/etc/passwd')"),
            ('?', "SELECT a FROM t ORDER BY pg_sleep(1)"),
            ('?', "SELECT a FROM t WHERE EXISTS (SELECT pg_terminate_backend(1))"),
            ('?', "SELECT count(*) FILTER (WHERE pg_sleep(1) IS NULL) FROM t"),
            ('?', "SELECT lower(a) OVER (ORDER BY pg_sleep(1)) FROM t"),
            ('?', "SELECT * FROM t LIMIT pg_sleep(1)"),
            ('?', "SELECT * FROM ROWS FROM (pg_ls_dir('/'))"),
            ('?', "SELECT * FROM t, LATERAL pg_ls_dir('/')"),
            ('?', "CREATE FUNCTION f() RETURNS int AS $$ SELECT 1 $$ LANGUAGE sql"),
            ('?', "PREPARE x AS DELETE FROM a"),
            ('?', "EXECUTE x"),
            ('?', "LISTEN x"),
            ('?', "NOTIFY x"),
            ('?', "LOAD 'x'"),
            ('?', "CREATE EXTENSION dblink"),
            ('?', "SELECT 1 /* a /* b */ DELETE FROM c */"),
            ('?', "SELECT 1 /*! DELETE */"),
            ('?', "SELECT 'a\\' || 'b'"),
            ('?', "SELECT 1\0"),
            ('?', "SELECT 1 --x\rDELETE FROM a"),
            ('?', "SELECT 1\u{2028}"),
            ('?', "SELECT 1 \\! id"),
            ('?', "SELECT 1 --1"),
            ('?', "TABLE secret"),
            ('?', "SELECT 1 UNION TABLE secret"),
        ],
    );
}

#[test]
fn tables() {
    check_all(
        &sql(
            Dialect::Postgres,
            &["select", "insert", "update", "delete", "create", "drop", "truncate", "merge", "explain"],
            &["orders", "public.*"],
            &[],
        ),
        &[
            ('+', "SELECT * FROM orders"),
            ('+', "SELECT * FROM Orders o JOIN public.customers c ON c.id = o.c"),
            ('+', "SELECT * FROM \"orders\""),
            ('+', "SELECT 1"),
            ('+', "WITH x AS (SELECT * FROM orders) SELECT * FROM x, x AS y"),
            ('+', "WITH x AS (SELECT 1), y AS (SELECT * FROM x) SELECT * FROM y"),
            (
                '+',
                "WITH RECURSIVE x AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM x WHERE n < 5) SELECT * FROM x",
            ),
            ('+', "SELECT * FROM (SELECT * FROM orders) s"),
            ('+', "INSERT INTO orders SELECT * FROM public.new"),
            ('+', "UPDATE orders SET a = 1 WHERE b IN (SELECT c FROM orders)"),
            ('+', "DELETE FROM orders USING public.x WHERE true"),
            ('+', "SELECT * FROM generate_series(1, 3)"),
            ('+', "CREATE TABLE public.n AS SELECT * FROM orders"),
            ('+', "DROP TABLE orders"),
            ('+', "TRUNCATE orders"),
            ('+', "SELECT * INTO public.b FROM orders"),
            ('+', "EXPLAIN SELECT * FROM orders"),
            ('-', "SELECT * FROM secret"),
            ('-', "SELECT * FROM public.a.b"),
            ('-', "SELECT * FROM \"public.orders\""),
            ('-', "SELECT * FROM other.orders"),
            ('-', "SELECT * FROM orders, secret"),
            ('-', "SELECT * FROM orders JOIN secret ON true"),
            ('-', "SELECT * FROM orders WHERE a IN (SELECT b FROM secret)"),
            ('-', "SELECT (SELECT max(a) FROM secret) FROM orders"),
            ('-', "SELECT * FROM orders UNION SELECT * FROM secret"),
            ('-', "SELECT * FROM orders ORDER BY (SELECT a FROM secret)"),
            ('-', "SELECT * FROM orders LIMIT (SELECT a FROM secret)"),
            ('-', "SELECT * FROM orders GROUP BY (SELECT a FROM secret)"),
            ('-', "SELECT * FROM orders, LATERAL (SELECT * FROM secret) s"),
            ('-', "SELECT array(SELECT a FROM secret)"),
            ('-', "SELECT CASE WHEN EXISTS (SELECT 1 FROM secret) THEN 1 END"),
            ('-', "SELECT sum(a) OVER (ORDER BY (SELECT 1 FROM secret)) FROM orders"),
            ('-', "WITH secret AS (SELECT * FROM secret) SELECT * FROM secret"),
            ('-', "WITH a AS (SELECT * FROM secret), secret AS (SELECT 1) SELECT * FROM a"),
            ('-', "SELECT * FROM secret WHERE EXISTS (WITH secret AS (SELECT 1) SELECT * FROM secret)"),
            ('-', "SELECT * FROM (WITH secret AS (SELECT 1) SELECT * FROM secret) s, secret"),
            ('-', "WITH secret AS (SELECT 1) SELECT * FROM pg.secret"),
            ('-', "WITH secret AS (SELECT 1) INSERT INTO secret VALUES (1)"),
            ('-', "WITH secret AS (SELECT 1) DELETE FROM secret"),
            ('-', "WITH secret AS (SELECT 1) UPDATE secret SET a = 1"),
            ('-', "WITH \"SECRET\" AS (SELECT 1) SELECT * FROM SECRET"),
            ('-', "INSERT INTO secret VALUES (1)"),
            ('-', "INSERT INTO orders SELECT * FROM secret"),
            ('-', "UPDATE secret SET a = 1"),
            ('-', "UPDATE orders SET a = (SELECT 1 FROM secret)"),
            ('-', "UPDATE orders SET a = 1 FROM secret"),
            ('-', "DELETE FROM secret"),
            ('-', "DELETE FROM orders USING secret"),
            ('-', "DELETE FROM orders RETURNING (SELECT 1 FROM secret)"),
            ('-', "INSERT INTO orders VALUES ((SELECT 1 FROM secret))"),
            ('-', "INSERT INTO orders VALUES (1) ON CONFLICT (a) DO UPDATE SET b = (SELECT 1 FROM secret)"),
            ('-', "MERGE INTO secret USING orders ON true WHEN MATCHED THEN DELETE"),
            ('-', "MERGE INTO orders USING secret ON true WHEN MATCHED THEN DELETE"),
            ('-', "CREATE TABLE secret (a int)"),
            ('-', "CREATE TABLE public.n AS SELECT * FROM secret"),
            ('-', "CREATE VIEW public.v AS SELECT * FROM secret"),
            ('-', "DROP TABLE orders, secret"),
            ('-', "TRUNCATE orders, secret"),
            ('-', "SELECT * INTO secret FROM orders"),
            ('-', "EXPLAIN SELECT * FROM secret"),
            ('-', "SELECT * FROM information_schema.tables"),
            ('-', "SELECT * FROM pg_catalog.pg_shadow"),
            ('?', "SELECT * FROM \"Orders\""),
            ('?', "DROP SCHEMA public"),
            ('?', "CREATE INDEX i ON secret (a)"),
            ('?', "CREATE TABLE public.n (LIKE secret)"),
        ],
    );
}

#[test]
fn kinds_inside_others_count() {
    let writes = sql(Dialect::Postgres, &["insert", "select"], &[], &[]);
    check_all(
        &writes,
        &[
            ('+', "INSERT INTO a SELECT * FROM b"),
            ('+', "INSERT INTO a VALUES (1) ON CONFLICT DO NOTHING"),
            ('+', "WITH x AS (INSERT INTO a VALUES (1) RETURNING *) SELECT * FROM x"),
            ('-', "INSERT INTO a VALUES (1) ON CONFLICT (x) DO UPDATE SET b = 1"),
        ],
    );
    check_all(
        &sql(Dialect::Postgres, &["insert"], &[], &[]),
        &[('+', "INSERT INTO a VALUES (1)"), ('-', "INSERT INTO a SELECT * FROM b")],
    );
    check_all(
        &sql(Dialect::Postgres, &["explain", "select"], &[], &[]),
        &[
            ('+', "EXPLAIN ANALYZE SELECT * FROM a"),
            ('-', "EXPLAIN ANALYZE DELETE FROM a"),
            ('-', "EXPLAIN DELETE FROM a"),
        ],
    );
    check_all(
        &sql(Dialect::Postgres, &["copy", "select"], &["a"], &[]),
        &[
            ('+', "COPY a TO STDOUT"),
            ('+', "COPY (SELECT * FROM a) TO STDOUT"),
            ('-', "COPY b TO STDOUT"),
            ('-', "COPY (SELECT * FROM b) TO STDOUT"),
            ('?', "COPY a TO PROGRAM 'sh'"),
        ],
    );
}

#[test]
fn functions_are_listed() {
    check_all(
        &sql(Dialect::Postgres, &["select"], &[], &["app.*", "pg_size_pretty", "my_*", "*"]),
        &[
            ('+', "SELECT app.f(1)"),
            ('+', "SELECT MY_f(lower('x'))"),
            ('+', "SELECT pg_size_pretty(1)"),
            ('+', "SELECT anything(1)"),
            ('-', "SELECT pg_read_file('x')"),
            ('-', "SELECT other.f()"),
            ('-', "SELECT dblink('x')"),
            ('-', "SELECT app.pg_f()"),
        ],
    );
}

#[test]
fn sqlite() {
    check_all(
        &sql(Dialect::Sqlite, &["select"], &["orders"], &[]),
        &[
            ('+', "SELECT * FROM Orders"),
            ('+', "SELECT strftime('%Y', d), group_concat(x) FROM orders"),
            ('-', "SELECT * FROM sqlite_master"),
            ('-', "SELECT * FROM main.orders"),
            ('-', "INSERT OR REPLACE INTO orders VALUES (1)"),
            ('?', "SELECT load_extension('x')"),
            ('?', "SELECT writefile('x', 'y')"),
            ('?', "SELECT readfile('/etc/passwd')"),
            ('?', "SELECT * FROM pragma_table_info('secret')"),
            ('?', "ATTACH DATABASE '/tmp/x' AS y"),
            ('?', "VACUUM INTO '/tmp/x'"),
            ('?', "PRAGMA writable_schema = 1"),
            ('?', "CREATE VIRTUAL TABLE t USING csv(filename='/etc/passwd')"),
            ('?', ".shell id"),
            ('?', "SELECT 1;\n.shell id"),
        ],
    );
    check_all(
        &sql(Dialect::Sqlite, &["insert"], &[], &[]),
        &[
            ('+', "INSERT INTO orders VALUES (1)"),
            ('-', "INSERT OR REPLACE INTO orders VALUES (1)"),
            ('-', "REPLACE INTO orders VALUES (1)"),
        ],
    );
}

#[test]
fn mysql() {
    check_all(
        &sql(Dialect::Mysql, &["select"], &["orders", "shop.*"], &[]),
        &[
            ('+', "SELECT * FROM orders"),
            ('+', "SELECT `a`, if(b, 1, 2), ifnull(c, \"x\") FROM `shop`.`x` # comment"),
            (
                '+',
                "SELECT insert('a', 1, 1, 'b') FROM orders"
                    .replace("insert('a', 1, 1, 'b')", "replace('a', 'b', 'c')")
                    .as_str(),
            ),
            ('-', "SELECT * FROM mysql.user"),
            ('-', "REPLACE INTO orders VALUES (1)"),
            ('-', "INSERT INTO orders VALUES (1) ON DUPLICATE KEY UPDATE a = 1"),
            ('?', "SELECT * FROM ORDERS"),
            ('?', "SELECT 1 /*!50000 INTO OUTFILE '/tmp/x' */"),
            ('?', "SELECT 1 /*! UNION SELECT * FROM mysql.user */"),
            ('?', "SELECT 1 /*M! UNION SELECT 2 */"),
            ('?', "SELECT /*+ SET_VAR(x=1) */ 1"),
            ('?', "SELECT 1 INTO OUTFILE '/tmp/x'"),
            ('?', "SELECT 'x' INTO DUMPFILE '/tmp/x'"),
            ('?', "SELECT load_file('/etc/passwd')"),
            ('?', "SELECT sleep(10)"),
            ('?', "SELECT benchmark(1e9, 1)"),
            ('?', "LOAD DATA INFILE '/etc/passwd' INTO TABLE orders"),
            ('?', "SELECT 'a\\' UNION SELECT 2 -- '"),
            ('+', "SELECT 1 --1"),
            ('?', "HANDLER orders OPEN"),
        ],
    );
}

#[test]
fn mssql_needs_no_semicolon() {
    for dialect in [Dialect::Mssql, Dialect::Generic] {
        check_all(
            &sql(dialect, &["select", "update"], &["orders", "dbo.*"], &[]),
            &[
                ('+', "SELECT TOP 5 * FROM orders"),
                ('+', "SELECT a FROM dbo.x ORDER BY a"),
                ('+', "UPDATE orders SET a = 1 WHERE b = 2"),
                ('-', "SELECT * FROM secret"),
                ('?', "SELECT 1 DELETE FROM orders"),
                ('?', "SELECT 1 a DELETE orders"),
                ('?', "SELECT * FROM orders DELETE FROM orders"),
                ('?', "SELECT * FROM orders DROP TABLE orders"),
                ('?', "SELECT 1 EXEC xp_cmdshell 'id'"),
                ('?', "EXEC xp_cmdshell 'id'"),
                ('?', "SELECT 1 SHUTDOWN"),
                ('?', "SELECT 1 USE master"),
                ('?', "SELECT 1 KILL"),
                ('?', "SELECT 1\nGO\nDROP TABLE orders"),
                ('?', "SELECT 1 DECLARE"),
                ('?', "SELECT * FROM OPENROWSET('a', 'b', 'c')"),
                ('?', "SELECT * FROM OPENQUERY(s, 'x')"),
                ('?', "WAITFOR DELAY '0:0:10'"),
            ],
        );
    }
    check_all(
        &sql(Dialect::Mssql, &["select"], &["orders"], &[]),
        &[
            ('+', "SELECT [a] FROM [Orders]"),
            ('-', "SELECT * INTO x FROM orders"),
            ('-', "SELECT * FROM [dbo].[orders]"),
        ],
    );
    check_all(
        &sql(Dialect::Mssql, &["delete", "update"], &["orders"], &[]),
        &[
            ('+', "DELETE FROM orders"),
            ('-', "DELETE secret FROM orders"),
            ('-', "DELETE FROM orders OUTPUT deleted.* INTO secret"),
        ],
    );
    check_all(
        &sql(Dialect::Generic, &["select"], &[], &[]),
        &[('?', "SELECT 'a\\n'"), ('?', "SELECT $$x$$"), ('?', "FROM orders |> SELECT a")],
    );
}

#[test]
fn denied_when_some_of_it_is_listed() {
    let writes = sql(Dialect::Postgres, &["delete", "drop"], &[], &[]);
    let secret = sql(Dialect::Postgres, &[], &["secret"], &[]);
    let sleeps = sql(Dialect::Postgres, &[], &[], &["pg_sleep"]);
    for (operator, text, expected) in [
        (&writes, "DELETE FROM a", '+'),
        (&writes, "WITH x AS (DELETE FROM a RETURNING *) SELECT * FROM x", '+'),
        (&writes, "SELECT 1", '-'),
        (&writes, "SELECT 1; DELETE FROM a", '?'),
        (&writes, "SELECT purge()", '?'),
        (&secret, "SELECT * FROM a, secret", '+'),
        (&secret, "SELECT * FROM a", '-'),
        (&secret, "SELECT 1", '-'),
        (&secret, "garbage", '?'),
        (&sleeps, "SELECT pg_sleep(1), lower('x')", '+'),
        (&sleeps, "SELECT lower('x')", '-'),
    ] {
        assert_eq!(ask_some(operator, text), expected, "{text}");
    }
}

#[test]
fn large_texts_are_refused_and_deep_ones_do_no_harm() {
    let select = sql(Dialect::Postgres, &["select"], &[], &[]);
    for (text, expected) in [
        (format!("SELECT 1{}", " + 1".repeat(190)), '+'),
        (format!("SELECT 1{}", " + 1".repeat(3000)), '?'),
        (format!("SELECT 1 WHERE a IN ({}1)", "1,".repeat(1900)), '+'),
        (format!("SELECT 1{}", " UNION SELECT 1".repeat(190)), '+'),
        (format!("SELECT {}1{}", "(".repeat(1900), ")".repeat(1900)), '?'),
        (format!("SELECT {}1", "-".repeat(2)), '?'),
        (format!("SELECT {}1", "- ".repeat(190)), '?'),
        (format!("SELECT {}1", "NOT ".repeat(190)), '?'),
        (format!("SELECT {}1{}", "CASE WHEN ".repeat(1000), " THEN 1 END".repeat(1000)), '?'),
        (format!("SELECT {}1{}", "(SELECT ".repeat(1000), ")".repeat(1000)), '?'),
        (format!("SELECT * FROM {}a{}", "(".repeat(1000), ")".repeat(1000)), '?'),
        (format!("SELECT {}1{}", "a(".repeat(1000), ")".repeat(1000)), '?'),
        (format!("SELECT a{}", "[1]".repeat(1000)), '?'),
        (format!("SELECT a{}", ".b".repeat(1900)), '+'),
        (format!("SELECT a{}", "::int".repeat(190)), '+'),
        (format!("SELECT a FROM b{}", " JOIN c ON true".repeat(16)), '+'),
        (format!("{}SELECT 1", "EXPLAIN ".repeat(1900)), '?'),
        (" ".repeat(20_000), '?'),
    ] {
        assert_eq!(ask(&select, &text), expected, "{}", text.get(..60).unwrap_or(&text));
    }
}

#[test]
fn bad_sql_tests_are_refused_at_load() {
    let new = |statements: &[&str], tables: &[&str]| {
        SqlTest::new(Dialect::Generic, Some(&list(statements)), Some(&list(tables)), None).unwrap_err()
    };
    assert_eq!(new(&["SELECT"], &["a"]), BadTest::UnknownStatement("SELECT".into()));
    assert_eq!(new(&[], &["a"]), BadTest::EmptyList("sql"));
    assert_eq!(new(&["select"], &[]), BadTest::EmptyList("sql"));
    for name in ["", "a..b", "a.**", "a.b.c.d.e", "[a]"] {
        assert!(matches!(new(&["select"], &[name]), BadTest::BadName { .. }), "{name}");
    }
    assert!(matches!(SqlTest::new(Dialect::Generic, None, None, None), Err(BadTest::TestsNothing("sql"))));
    assert_eq!(Dialect::parse("oracle").unwrap_err(), BadTest::UnknownDialect("oracle".into()));
}

#[test]
fn ordinary_work_passes() {
    let reads = sql(Dialect::Postgres, &["select"], &["orders", "customers", "items"], &[]);
    check_all(
        &reads,
        &[
            (
                '+',
                "SELECT a FROM (SELECT a FROM (SELECT a FROM (SELECT a FROM orders) x) y) z WHERE a IN (SELECT a FROM items)",
            ),
            (
                '+',
                "SELECT ((((a + 1) * 2) - 3) / 4) FROM orders WHERE (a = 1 AND (b = 2 OR (c = 3 AND (d = 4 OR e = 5))))",
            ),
            (
                '+',
                "SELECT coalesce(round(sum(CASE WHEN status = 'paid' THEN total ELSE 0 END) / nullif(count(*), 0), 2), 0) \
               FROM orders WHERE created_at >= now() - interval '30 days'",
            ),
            (
                '+',
                "WITH monthly AS (SELECT date_trunc('month', created_at) AS m, sum(total) AS s FROM orders GROUP BY 1), \
               ranked AS (SELECT m, s, rank() OVER (ORDER BY s DESC) AS r FROM monthly) SELECT * FROM ranked WHERE r <= 3",
            ),
            (
                '+',
                "SELECT c.name, o.total FROM customers c LEFT JOIN orders o ON o.customer_id = c.id AND o.total > 10 \
               WHERE c.email ILIKE '%@example.com' AND c.id BETWEEN 1 AND 100 ORDER BY 2 DESC NULLS LAST LIMIT 10 OFFSET 20",
            ),
            ('+', "SELECT DISTINCT ON (customer_id) * FROM orders ORDER BY customer_id, created_at DESC"),
            ('+', "SELECT data->>'name', data#>>'{a,b}', tags @> ARRAY['x'] FROM orders WHERE data ? 'k'"),
            (
                '+',
                "SELECT string_agg(name, ', ' ORDER BY name) FILTER (WHERE name IS NOT NULL) FROM customers HAVING count(*) > 1",
            ),
            (
                '+',
                "SELECT EXISTS (SELECT 1 FROM orders WHERE id = $1), extract(epoch FROM created_at)::bigint FROM orders",
            ),
        ],
    );
}

/// Pieces that open something, or go on with it: repeated, they are what makes parsers recurse.
const PIECES: [&str; 86] = [
    "(",
    "NOT",
    "-",
    "CASE",
    "WHEN",
    "THEN",
    "a",
    "1",
    "SELECT",
    "FROM",
    "EXISTS",
    "ARRAY",
    "[",
    "<",
    "STRUCT",
    "CAST(",
    "AS",
    "Nullable(",
    "Array(",
    "Map(",
    "INTERVAL",
    "WITH a AS (",
    "UNION",
    "IN (",
    "IN (1)",
    "PIVOT(",
    "JOIN",
    "LATERAL",
    "BEGIN",
    "IF",
    "EXPLAIN",
    "DESCRIBE",
    "PREPARE a AS",
    "PRIOR",
    "~",
    "!",
    "@",
    "{",
    "a(",
    ".",
    "ROW(",
    "TABLE",
    "VALUES",
    "COLLATE",
    "BETWEEN 1 AND",
    "LIKE",
    "IS",
    "NULL",
    "::",
    "int",
    "::int[",
    "EXTRACT(",
    "TRIM(",
    "SUBSTRING(",
    "CONVERT(",
    "->",
    "x ->",
    "OVER (",
    "FILTER (WHERE",
    "CREATE VIEW v AS",
    "CREATE TABLE t AS",
    "INSERT INTO t",
    "IN UNNEST(",
    "MATCH_RECOGNIZE(",
    "ON",
    "USING (",
    "TABLE(",
    "a AS (",
    ", (",
    "ALL (",
    "ANY(",
    "= ANY(",
    "DISTINCT",
    "ELSE",
    "END",
    "GROUPING SETS (",
    "GROUP BY (",
    "ORDER BY (",
    "LIMIT (",
    "WHERE (",
    "FOR",
    "DECLARE",
    "SET x =",
    "{ fn a(",
    "{'a':",
    "[a",
];

proptest! {
    #[test]
    fn repetition_does_no_harm(
        start in prop_oneof![Just(""), Just("SELECT "), Just("SELECT a FROM "), Just("SELECT CAST(a AS ")],
        pieces in proptest::collection::vec(proptest::sample::select(&PIECES[..]), 1..4),
        times in 1..600_usize,
        dialect in 0..5_usize,
    ) {
        let dialect = [Dialect::Postgres, Dialect::Sqlite, Dialect::Mysql, Dialect::Mssql, Dialect::Generic][dialect];
        let text = format!("{start}{}", format!("{} ", pieces.join(" ")).repeat(times));
        ask(&sql(dialect, &["select"], &["a"], &[]), &text);
    }

    #[test]
    fn nothing_panics(text in any::<String>()) {
        ask(&sql(Dialect::Generic, &["select"], &["a"], &[]), &text);
    }
}
