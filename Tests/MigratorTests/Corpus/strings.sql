--- semicolon in a string
SELECT ';'; SELECT 2;
--- doubled quote
SELECT 'it''s;', ''''; SELECT 2;
--- only quotes
SELECT '', '''', ''''''; SELECT 2;
--- backslash in a plain string
SELECT '\'; SELECT 2;
--- backslashes in a plain string
SELECT 'a\\', '\\\'; SELECT '\';
--- escape string
SELECT E'\';'; SELECT 2;
--- lower case escape string
SELECT e'\\'; SELECT e'\'\';'; SELECT 3;
--- escape string with doubled quote
SELECT E'a''\';b'; SELECT 2;
--- escape string with octal, hex and unicode escapes
SELECT E'\047;\x27;\u0027;\U00000027'; SELECT 2;
--- escape string over lines
SELECT E'a
\';
b'; SELECT 2;
--- string over lines
SELECT 'a;
b;

c;'; SELECT 2;
--- string that looks like a comment
SELECT '-- ;', '/* ;'; SELECT '*/ ;';
--- string that looks like a dollar quote
SELECT '$$'; SELECT '$$ ;';
--- string that looks like a command of psql
SELECT '\i x'; SELECT '
\q
';
--- word that ends in e before a string
SELECT date'2024-01-01'; SELECT type'\'; SELECT 2;
--- typed strings
SELECT interval '1 day;', timestamp ';'; SELECT 2;
--- bit strings
SELECT B'101', b'1', X'1F;'; SELECT x'ff';
--- bit string with a backslash
SELECT X'\'; SELECT B'\'; SELECT 2;
--- national string
SELECT N'a;\'; SELECT n'b;';
--- unicode string
SELECT U&'\0041;'; SELECT u&'\+000041''; '; SELECT 3;
--- unicode string with another escape
SELECT U&'!0041;' UESCAPE '!'; SELECT 2;
--- u, and, string
SELECT 1 AS u WHERE true AND 'a' = 'a;'; SELECT 2;
--- two strings on one line
SELECT 'a' AS "b" , 'c\'; SELECT 2;
--- continued string
SELECT 'a;'
  'b;'; SELECT 2;
--- continued string after a comment
SELECT 'a;' -- no end ;
  'b;'; SELECT 2;
--- continued string after several lines
SELECT 'a;'
-- one ;
-- two ;
  'b;'
  'c;'; SELECT 2;
--- continued escape string without escapes
SELECT E'a\';'
  'b;'; SELECT 2;
--- multibyte in strings
SELECT 'é;', '漢字;', '😀;'; SELECT 'ß';
--- tabs and form feeds in strings
SELECT '	;'; SELECT ';';
--- string at the end of the file
SELECT 'a;b'
--- concatenated
SELECT 'a;'||'b;'||E'\';'; SELECT 2;
--- string after a number
SELECT 1 WHERE 2=2 AND '3'='3;'; SELECT 2;
--- string in an array
SELECT ARRAY['a;', 'b''c;'], '{"a;","b"}'::text[]; SELECT 2;
--- json in strings
SELECT '{"a": ";", "b": "\";"}'::jsonb; SELECT '[";"]'::json -> 0;
--- regular expressions in strings
SELECT 'a;b' ~ '^\w;\w$', 'a' !~ E'\\s;'; SELECT 2;
--- like with an escape
SELECT 'a' LIKE 'a\;' ESCAPE '\'; SELECT 2;
--- quoted name
SELECT 1 AS ";"; SELECT 2 AS "a;b";
--- quoted name with quotes
SELECT 1 AS "a"";", 2 AS "'"; SELECT '"';
--- quoted name with a backslash
SELECT 1 AS "\"; SELECT 2 AS "\\";
--- quoted name over lines
SELECT 1 AS "a;
b"; SELECT 2;
--- unicode name
SELECT 1 AS U&"d\0061t;"; SELECT 2 AS u&"x;";
--- quoted name that looks like a comment
SELECT 1 AS "--;", 2 AS "/*"; SELECT 3 AS "*/;";
--- quoted keywords
SELECT 1 AS "begin", 2 AS "atomic", 3 AS "end"; SELECT 2;
--- names with dollar signs
SELECT 1 AS a$b$; SELECT 2 AS c$b$; SELECT 3 AS d$$; SELECT 4 AS e$$;
--- names of other scripts
SELECT 1 AS größe; SELECT 2 AS 数量; SELECT 3 AS é$;
--- strings that do not conform to the standard
SET standard_conforming_strings = off;
SELECT 'a\';b'; SELECT '\\'; SELECT 3;
--- strings that conform again
SET standard_conforming_strings TO off;
SELECT '\';';
SET standard_conforming_strings TO on;
SELECT '\'; SELECT 2;
--- strings that do not conform, session
SET SESSION standard_conforming_strings = 'off';
SELECT '\';'; SELECT N'\';'; SELECT 2;
--- strings that do not conform, other kinds
SET standard_conforming_strings = false;
SELECT E'\';', B'1'; SELECT X'1F'; SELECT $$\$$; SELECT "\" FROM t;
--- strings that conform after a reset
SET standard_conforming_strings = 0;
SELECT '\';';
RESET standard_conforming_strings;
SELECT '\'; SELECT 2;
--- strings that conform after reset all
SET standard_conforming_strings TO 'no';
SELECT '\';';
RESET ALL;
SELECT '\'; SELECT 2;
--- standard_conforming_strings said twice
SET standard_conforming_strings = on;
SELECT '\'; SELECT 2;
--- standard_conforming_strings by default
SET standard_conforming_strings = off;
SELECT '\';';
SET standard_conforming_strings TO DEFAULT;
SELECT '\'; SELECT 2;
