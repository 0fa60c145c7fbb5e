--- copy
COPY t FROM stdin;
a;	b'
\.
SELECT 2;
--- copy with columns
COPY t (a, b) FROM STDIN;
a	$$
"	/*
\.
SELECT 2; SELECT 3;
--- copy without rows
COPY t FROM stdin;
\.
SELECT 2;
--- copy with options
COPY t FROM stdin WITH (FORMAT csv, DELIMITER ';', QUOTE '''');
a;'b;'
\.
SELECT 2;
--- copy in csv over lines
COPY t FROM stdin (FORMAT csv);
"a;
b",";
"
\.
SELECT 2;
--- copy with empty lines
COPY u FROM stdin;

a

\.
SELECT 2;
--- copy with escapes
COPY t FROM stdin;
a\tb\\	\N
\\.	\\
\.
SELECT 2;
--- copy with old options
COPY u FROM stdin WITH DELIMITER ';' NULL 'x';
x
\.
SELECT 2;
--- copy that filters
COPY u FROM stdin WHERE a <> ';';
a;
\.
SELECT 2;
--- two copies
COPY u FROM stdin;
a;
\.
COPY u FROM stdin;
b;
\.
SELECT 3;
--- copy of a qualified table
COPY public.u FROM stdin;
a; SELECT 9;
\.
SELECT 2;
--- copy with a comment behind
COPY u FROM stdin; -- rows; follow
a;
\.
SELECT 2;
--- copy with comments within
COPY u /* ; */ FROM -- ;
stdin;
a;
\.
SELECT 2;
--- copy over lines
COPY u
FROM
stdin
;
a;
\.
SELECT 2;
--- copy with a statement behind
COPY u FROM stdin; SELECT 2;
a;
\.
SELECT 3;
--- two copies on a line
COPY u FROM stdin; COPY t (a) FROM stdin; SELECT 3;
a;
\.
b;
\.
SELECT 4;
--- copy without an end
COPY u FROM stdin;
a;
b;
--- copy multibyte
COPY u FROM stdin;
größe; 漢字 😀
\.
SELECT 2;
--- copy of a quoted table
COPY "u" ("a") FROM stdin;
a;
\.
SELECT 2;
--- copy to and from files
COPY t FROM '/nonexistent/;'; COPY t TO '/nonexistent/;'; SELECT 3;
--- copy from a program that is called stdin
COPY t FROM PROGRAM 'false stdin;'; SELECT 2;
--- copy of a query to a file
COPY (SELECT ';' FROM t) TO '/nonexistent/;'; SELECT 2;
--- rows that look like commands
COPY u FROM stdin;
COPY u FROM stdin;
-- a
/* b
$$ c
\.
SELECT 2;
--- copy by another name
COPY stdin FROM '/nonexistent/x'; SELECT 2;
