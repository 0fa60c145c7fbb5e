--- dollar quotes
DO $$ BEGIN NULL; NULL; END $$; SELECT 2;
--- empty dollar quotes
SELECT $$$$; SELECT $a$$a$; SELECT 3;
--- tagged dollar quotes
SELECT $body$ ; ' " $$ ; $body$; SELECT 2;
--- nested dollar quotes
DO $outer$ BEGIN EXECUTE $inner$ SELECT ';' $inner$; END $outer$; SELECT 2;
--- three levels
DO $a$ BEGIN EXECUTE $b$ DO $c$ BEGIN NULL; END $c$ $b$; END $a$; SELECT 2;
--- a tag that is the beginning of another
SELECT $a$ ; $ab$ ; $a$; SELECT 2;
--- a tag that ends like another
SELECT $ba$ ; $a$ ; $ba$; SELECT 2;
--- a dollar sign before the end
SELECT $$ ; $$; SELECT $a$ ; $$a$; SELECT 3;
--- a half tag before the end
SELECT $a$ ; $a$; SELECT $tag$ ; $ta $tag$; SELECT 3;
--- an end in the middle of an end
SELECT $a$ $b$a$; SELECT 2;
--- tag with digits and underscores
SELECT $_1$ ; $_1$; SELECT $t_2$ ; $t_2$; SELECT 3;
--- multibyte tag
SELECT $é$ ; $$ ; $é$; SELECT $漢1$ ; $漢1$; SELECT 3;
--- tags keep their case
SELECT $A$ ; $a$ ; $A$; SELECT 2;
--- strings in dollar quotes
SELECT $$ 'a; $$; SELECT $$ "a; $$; SELECT 3;
--- backslashes in dollar quotes
SELECT $$\$$; SELECT $$\\;\$$; SELECT 3;
--- comments in dollar quotes
SELECT $$ -- ; $$; SELECT $$ /* ; $$; SELECT 3;
--- commands of psql in dollar quotes
SELECT $$
\i x
\.
$$; SELECT 2;
--- empty lines in dollar quotes
SELECT $$

;

$$; SELECT 2;
--- parameters
PREPARE p1 AS SELECT $1::int, $2::text; DEALLOCATE p1; SELECT 2;
--- a parameter before a dollar quote
PREPARE p2 AS SELECT $1::text||$$;$$; DEALLOCATE p2; SELECT 2;
--- a dollar quote right after an operator
SELECT 1=1,'a'=$$;$$; SELECT 2;
--- a dollar quote right after a parenthesis
SELECT length($$;$$), ($a$;$a$); SELECT 2;
--- a dollar sign inside a name is no quote
SELECT 1 AS x$a$; SELECT 2 AS y$a$; SELECT 3;
--- adjacent dollar quotes
SELECT $$a;$$ || $$b;$$; SELECT $a$;$a$||$b$;$b$; SELECT 3;
--- dollar quote at the end of the file
SELECT $$ a; b $$
--- plpgsql function
CREATE FUNCTION f1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.a = ';' THEN
        RAISE NOTICE 'a;b';
    END IF;
    RETURN NEW;
END;
$$; SELECT 2;
--- function with a quoted body
CREATE FUNCTION f2() RETURNS int LANGUAGE sql AS 'SELECT 1; SELECT '';''::text; SELECT 2'; SELECT 2;
--- function with an escaped body
CREATE FUNCTION f3() RETURNS int LANGUAGE sql AS E'SELECT \';\'::text;\nSELECT 2'; SELECT 2;
--- options after the body
CREATE FUNCTION f4(a int) RETURNS int AS $$ SELECT a; $$ LANGUAGE sql IMMUTABLE COST 1; SELECT 2;
--- procedure
CREATE PROCEDURE p3() LANGUAGE plpgsql AS $p$ BEGIN COMMIT; ROLLBACK; END; $p$; SELECT 2;
--- do with a language
DO LANGUAGE plpgsql $$ BEGIN PERFORM 1; END; $$; SELECT 2;
--- body that makes a function
DO $do$
BEGIN
    EXECUTE 'CREATE OR REPLACE FUNCTION f5() RETURNS int LANGUAGE plpgsql AS $f$ BEGIN RETURN 1; END; $f$';
END
$do$; SELECT 2;
