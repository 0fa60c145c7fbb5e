--- nothing
--- only white space
   
	

--- only a line comment
-- a; b
--- only a block comment
/* a; b */
--- only semicolons
;;; ;
--- comment and semicolon
/* a */; -- b
;
--- line comment before
-- a; b
SELECT 1; SELECT 2;
--- line comment behind
SELECT 1; -- a; b
SELECT 2; -- c
--- line comment within
SELECT 1, -- a; b
    2; SELECT 3;
--- line comment before the semicolon
SELECT 1 -- a; b
; SELECT 2;
--- line comment with quotes
-- it's "fine" $$
SELECT 1; -- it's
SELECT 2;
--- line comment with a block comment's beginning
-- /* ;
SELECT 1; -- */ ;
SELECT 2;
--- line comment with a backslash
-- \i x
SELECT 1; -- \q
SELECT 2;
--- line comment at the end of the file
SELECT 1; SELECT 2 -- a; b
--- line comment right after a word
SELECT 1--a; b
, 2; SELECT 3--c
;
--- line comment right after an operator
SELECT 1 +--a; b
2; SELECT 3;
--- three dashes
SELECT 1 ---a; b
; SELECT 2;
--- minus minus
SELECT 1 - -1; SELECT 1 -(-1); SELECT 3;
--- empty line comments
SELECT 1
--
--
; SELECT 2;
--- block comment before
/* a; b */ SELECT 1; SELECT 2;
--- block comments before on lines
/* a; */
/* b; */
SELECT 1; SELECT 2;
--- block comment then line comment
/* a; */ -- b;
SELECT 1; SELECT 2;
--- line comment then block comment
-- b;
/* a; */ SELECT 1; SELECT 2;
--- a hint
/*+ SeqScan(t) */ SELECT a FROM t; /*+ IndexScan(t) */
SELECT b FROM t;
--- block comment within
SELECT /* a; b */ 1; SELECT 2/**/;
--- block comment between words
SELECT/* ; */1/* ; */AS/* ; */x; SELECT 2;
--- nested block comments
/* a /* b; */ c; */ SELECT 1; SELECT 2;
--- deeply nested block comments
/*/*/*;*/;*/;*/SELECT 1;/*/**/;*/SELECT 2;
--- block comment over lines
SELECT 1 /* a;

   b; */ , 2; SELECT 3;
--- stars in block comments
/**/SELECT 1;/***/SELECT 2;/****/SELECT 3; /* * / */ SELECT 4;
--- slashes in block comments
/* / */ SELECT 1; /* // */ SELECT 2; /*/ ; */ SELECT 3;
--- quotes in block comments
/* it's */ SELECT 1; /* " */ SELECT 2; /* $$ */ SELECT 3;
--- line comment in a block comment
/* -- */ SELECT 1; /* a
-- */ SELECT 2;
--- block comment after the last statement
SELECT 1; SELECT 2; /* a; b */
--- block comment in the last statement
SELECT 1; SELECT 2 /* a; b */
--- block comment right after an operator
SELECT 6/2/*3;*/; SELECT 2;
--- star then slash
SELECT 2 * 3 / 1; SELECT 1*/* ; */2; SELECT 3;
--- multibyte comments
-- größe; 漢字
/* 😀; */ SELECT 1; SELECT 2; -- é
--- directives
-- migrate:lock-timeout 500ms
-- migrate:role x
SELECT 1; SELECT 2;
--- empty lines between statements
SELECT 1;


SELECT 2;

--- empty lines within statements
SELECT

    1,

    2;

SELECT 3;
--- white space lines within statements
SELECT
  
    1
	
; SELECT 2;
--- several statements on a line
SELECT 1;SELECT 2;SELECT 3; SELECT 4;
--- no semicolon at the end
SELECT 1; SELECT 2
--- spaces before semicolons
SELECT 1 ; SELECT 2
;
--- indented
    SELECT 1;
	SELECT 2;
