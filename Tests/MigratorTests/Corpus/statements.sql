--- rule with several actions
CREATE RULE r1 AS ON INSERT TO u DO ALSO (INSERT INTO t VALUES ('a;'); DELETE FROM t WHERE a = ';'); DROP RULE r1 ON u;
--- rule with one action
CREATE RULE r2 AS ON DELETE TO u DO INSTEAD NOTHING; DROP RULE r2 ON u;
--- rule over lines
CREATE RULE r3 AS ON UPDATE TO u DO ALSO (
    INSERT INTO t VALUES ('a'); -- one;
    DELETE FROM t; /* two; */
);
DROP RULE r3 ON u; SELECT 3;
--- parentheses in strings
SELECT '('; SELECT ')'; SELECT '(('; SELECT 4;
--- parentheses in quoted names
SELECT 1 AS "("; SELECT 2 AS ")("; SELECT 3;
--- parentheses in comments
SELECT 1 /* ( */; SELECT 2 -- (
; SELECT 3;
--- parentheses in dollar quotes
SELECT $$($$; SELECT $a$)($a$; SELECT 3;
--- nested parentheses
SELECT ((1)), (((2))); SELECT (SELECT (SELECT ';')); SELECT 3;
--- brackets
SELECT (ARRAY[1, 2])[1], (ARRAY[[1], [2]])[1:2][1]; SELECT 2;
--- casts
SELECT 1::text, ';'::text::varchar(3); SELECT CAST(';' AS text);
--- assignments of arguments
SELECT make_interval(days => 1), make_interval(hours := 2); SELECT 2;
--- operators
SELECT 1 <> 2, 1 != 2, 1 >= 2, 1 <= 2, 2 ^ 3, 5 % 2, @ -1, 5 # 3, ~ 1, 1 << 2; SELECT 2;
--- operators of json
SELECT '{}'::jsonb -> 'a;', '{}'::jsonb ->> ';', '{}'::jsonb #> '{a}', '{}'::jsonb @> '{}', '{}'::jsonb ? 'a', '{}'::jsonb || '{}'; SELECT 2;
--- operators with a schema
SELECT 1 OPERATOR(pg_catalog.+) 2; SELECT 2;
--- numbers
SELECT 1, 1.5, .5, 1., 1e3, 1.5e-3, 1E+3; SELECT 2;
--- ranges of numbers
SELECT (ARRAY[1,2,3])[1:2]; SELECT int4range(1, 2, '[)'); SELECT 3;
--- create table
CREATE TABLE s1 (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT s1_pkey PRIMARY KEY,
    name text NOT NULL DEFAULT ';' CONSTRAINT s1_name_check CHECK (name <> ';' AND length(name) > 0),
    size int CHECK (size > 0)
) WITH (fillfactor = 70);
COMMENT ON TABLE s1 IS 'a; it''s b'; DROP TABLE s1;
--- partitions
CREATE TABLE s2 (a int) PARTITION BY RANGE (a);
CREATE TABLE s2_1 PARTITION OF s2 FOR VALUES FROM (1) TO (2);
CREATE TABLE s2_d PARTITION OF s2 DEFAULT; DROP TABLE s2;
--- indexes
CREATE INDEX s3 ON t (lower(a), (b || ';')) WHERE a <> ';'; CREATE INDEX CONCURRENTLY IF NOT EXISTS s4 ON t (b); DROP INDEX s3, s4;
--- types
CREATE TYPE s5 AS ENUM ('a;', 'b'); ALTER TYPE s5 ADD VALUE 'c;' AFTER 'a;'; CREATE TYPE s6 AS (x int, y text); DROP TYPE s5, s6;
--- views
CREATE OR REPLACE VIEW s7 AS SELECT a, ';' AS b FROM t WITH CHECK OPTION; CREATE MATERIALIZED VIEW s8 AS SELECT 1 WITH NO DATA; DROP MATERIALIZED VIEW s8; DROP VIEW s7;
--- policies
CREATE POLICY s9 ON t FOR SELECT TO PUBLIC USING (a <> ';'); DROP POLICY s9 ON t; SELECT 3;
--- grants
GRANT SELECT, INSERT (a) ON t TO PUBLIC; REVOKE ALL ON t FROM PUBLIC; ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
--- sequences
CREATE SEQUENCE s10 INCREMENT BY 2; SELECT nextval('s10'), setval('s10', 5); DROP SEQUENCE s10;
--- common table expressions
WITH a AS (SELECT ';' AS x), b AS MATERIALIZED (DELETE FROM t WHERE a = ';' RETURNING *) SELECT * FROM a, b; SELECT 2;
--- insert with conflict
INSERT INTO t (a, b) VALUES ('a;', ';'), (E'\';', NULL) ON CONFLICT DO NOTHING RETURNING a; SELECT 2;
--- update and delete
UPDATE t SET a = ';', b = (SELECT ';') WHERE a = 'x'; DELETE FROM t USING u WHERE t.a = u.a; SELECT 3;
--- window functions
SELECT sum(1) OVER (PARTITION BY a ORDER BY b ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t; SELECT 2;
--- explain
EXPLAIN (COSTS off) SELECT ';' FROM t; SELECT 2;
--- savepoints
SAVEPOINT a; SELECT 1; ROLLBACK TO a; RELEASE a;
--- settings
SET LOCAL lock_timeout = '2s'; SET search_path TO public, pg_temp; SHOW lock_timeout; RESET search_path;
--- set config
SELECT set_config('my.value', 'a;', false); SELECT current_setting('my.value', true);
--- alter table
ALTER TABLE t ADD COLUMN c text DEFAULT ';', ADD CONSTRAINT t_c_check CHECK (c <> ''';''') NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT t_c_check; ALTER TABLE t DROP COLUMN c;
--- locks and notifications
LISTEN a; NOTIFY a, 'b;'; UNLISTEN a; LOCK TABLE t IN SHARE MODE; SELECT 5;
--- cursors
DECLARE c CURSOR WITH HOLD FOR SELECT ';'; FETCH ALL FROM c; CLOSE c; SELECT 4;
--- schemas
CREATE SCHEMA s11 CREATE TABLE a (b text) CREATE VIEW c AS SELECT ';' AS d; DROP SCHEMA s11 CASCADE; SELECT 3;
--- xml and at time zone
SELECT now() AT TIME ZONE 'UTC;'; SELECT EXTRACT(epoch FROM now()); SELECT 3;
--- values and tables
VALUES (1, ';'), (2, '('); TABLE t; SELECT 3;
--- values for variables that psql does not have
SELECT 'a:b', 1::text AS ":x;", (ARRAY[1,2])[1:1]; SELECT ':''x''';
--- transactions
BEGIN; SELECT 1; COMMIT; START TRANSACTION; ROLLBACK; SELECT 6;
--- vacuum and analyze
ANALYZE t; VACUUM (ANALYZE) t; REINDEX TABLE t; SELECT 4;
--- extended statistics and domains
CREATE DOMAIN s12 AS text CONSTRAINT s12_check CHECK (VALUE <> ';'); DROP DOMAIN s12; SELECT 3;
--- foreign keys
ALTER TABLE u ADD CONSTRAINT u_a_fkey FOREIGN KEY (a) REFERENCES t (a) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED; SELECT 2;
--- event triggers and publications
CREATE PUBLICATION s13 FOR TABLE t WHERE (a <> ';'); DROP PUBLICATION s13; SELECT 3;
--- call
CALL nothing(';', $$;$$); SELECT 2;
--- merge
MERGE INTO t USING u ON t.a = u.a WHEN MATCHED AND u.a = ';' THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (u.a, ';'); SELECT 2;
--- recursive
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT string_agg(i::text, ';') FROM n; SELECT 2;
--- lateral and tablesample
SELECT * FROM t TABLESAMPLE system (10) CROSS JOIN LATERAL (SELECT ';' AS x) AS l; SELECT 2;
--- a dump's head
SET statement_timeout = 0;
SET lock_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET row_security = off;

--
-- Name: a; Type: TABLE; Schema: public; Owner: x
--

CREATE TABLE public.s14 (
    a text,
    b text DEFAULT ';'::text
);

ALTER TABLE public.s14 OWNER TO nobody_at_all;

COPY public.s14 (a, b) FROM stdin;
1;	it's
\N	$$
\.


SELECT pg_catalog.setval('public.s14_seq', 1, false);
DROP TABLE public.s14;

--
-- PostgreSQL database dump complete
--
