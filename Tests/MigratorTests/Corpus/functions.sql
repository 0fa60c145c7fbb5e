--- body of an SQL function
CREATE FUNCTION g1() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; SELECT 2;
--- body with case
CREATE FUNCTION g2(a int) RETURNS int BEGIN ATOMIC SELECT CASE WHEN a > 0 THEN 1 ELSE 2 END; END; SELECT 2;
--- body with nested case
CREATE FUNCTION g3(a int) RETURNS int BEGIN ATOMIC
    SELECT CASE WHEN a > 0 THEN CASE a WHEN 1 THEN 2 END ELSE 3 END;
    SELECT 4;
END; SELECT 2;
--- body with case in parentheses
CREATE FUNCTION g4(a int) RETURNS int BEGIN ATOMIC SELECT (CASE WHEN a > 0 THEN 1 END); END; SELECT 2;
--- empty body
CREATE FUNCTION g5() RETURNS void BEGIN ATOMIC END; SELECT 2;
--- lower case body
create function g6() returns int begin atomic select 1; end; select 2;
--- body after a comment between its words
CREATE FUNCTION g7() RETURNS int BEGIN /* ; */ ATOMIC -- ;
SELECT 1; END; SELECT 2;
--- replaced function
CREATE OR REPLACE FUNCTION g8() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END; SELECT 2;
--- procedure with a body
CREATE PROCEDURE g9() BEGIN ATOMIC INSERT INTO t VALUES ('a;', 'b'); DELETE FROM t; END; SELECT 2;
--- replaced procedure with a body
CREATE OR REPLACE PROCEDURE g10() LANGUAGE sql BEGIN ATOMIC DELETE FROM t WHERE a = 'end;'; END; SELECT 2;
--- function with return
CREATE FUNCTION g11(a int) RETURNS int RETURN a + 1; SELECT 2;
--- function with return of a case
CREATE FUNCTION g12(a int) RETURNS int RETURN CASE WHEN a > 0 THEN 1 ELSE 2 END; SELECT 2;
--- body with strings and comments
CREATE FUNCTION g13() RETURNS text BEGIN ATOMIC
    -- end;
    SELECT 'end;'; /* end; */
    SELECT $$end;$$;
END; SELECT 2;
--- two bodies in a file
CREATE FUNCTION g14() RETURNS int BEGIN ATOMIC SELECT 1; END;
CREATE FUNCTION g15() RETURNS int BEGIN ATOMIC SELECT 1; END; SELECT 3;
--- parameters with defaults
CREATE FUNCTION g16(a text DEFAULT ';', b int = 2) RETURNS text BEGIN ATOMIC SELECT a; END; SELECT 2;
--- returns table
CREATE FUNCTION g17() RETURNS TABLE (x int, y text) BEGIN ATOMIC SELECT 1, ';'; END; SELECT 2;
--- quoted names in a body
CREATE FUNCTION g18() RETURNS int BEGIN ATOMIC SELECT 1 AS "end"; SELECT 2 AS "case"; END; SELECT 2;
--- body with a subquery
CREATE FUNCTION g19() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM (SELECT CASE WHEN true THEN 1 END FROM t) AS q; END; SELECT 2;
--- a function of another language beside one with a body
CREATE FUNCTION g20() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$;
CREATE FUNCTION g21() RETURNS int BEGIN ATOMIC SELECT 1; END; SELECT 3;
--- qualified function
CREATE FUNCTION public.g22() RETURNS int BEGIN ATOMIC SELECT 1; END; SELECT 2;
--- options before the body
CREATE FUNCTION g23() RETURNS int LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 1 BEGIN ATOMIC SELECT 1; END; SELECT 2;
--- function settings before the body
CREATE FUNCTION g24() RETURNS int LANGUAGE sql SET search_path = public SECURITY DEFINER BEGIN ATOMIC SELECT 1; END; SELECT 2;
--- many words before the body
CREATE FUNCTION g25() RETURNS int LANGUAGE sql SET search_path = a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, u, v, w, x, y, z, aa, bb, cc, dd, ee, ff, gg, hh, ii, jj, kk, ll, mm, nn, oo, pp, qq, rr, ss, tt, uu, vv, ww, xx, yy, zz, ab, ac, ad, af, ag, ah, ai, aj, ak, al, am, an, ao, ap BEGIN ATOMIC SELECT 1; END; SELECT 2;
--- case outside a body
SELECT CASE WHEN true THEN ';' END; SELECT 2;
--- the word end outside a body
SELECT 1 AS "x", 2 AS end; SELECT 2;
--- the words of a body outside of one
SELECT 1 AS begin, 2 AS atomic; SELECT 2;
--- trigger function and trigger
CREATE FUNCTION g26() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER g26 BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.a = ';') EXECUTE FUNCTION g26();
DROP TRIGGER g26 ON t;
--- aggregate and operator
CREATE AGGREGATE g27(text) (SFUNC = textcat, STYPE = text, INITCOND = ';');
CREATE OPERATOR <-< (LEFTARG = int, RIGHTARG = int, FUNCTION = int4lt);
SELECT 3;
--- a body that ends the file
CREATE FUNCTION g28() RETURNS int BEGIN ATOMIC SELECT 1; END
