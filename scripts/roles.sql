-- The three roles of a FlexiServer database, for psql as a superuser (or a role with CREATEROLE that owns the database):
--
--   psql -v ON_ERROR_STOP=1 -d flexi -f scripts/roles.sql
--   psql -v ON_ERROR_STOP=1 -v owner_role=a_owner -v app_role=a_app -v sip_role=a_sip -d flexi_a -f scripts/roles.sql
--
--   owner_role (flexi_owner)  owns every object; migrate creates as it
--   app_role   (flexi_app)    reads and writes rows; FlexiServer logs in as it
--   sip_role   (flexi_sip)    reads the views of schema sip; SIP servers log in as it
--
-- Roles belong to the cluster and grants to the database: run it once in each database. Running it again changes nothing. A role gets a
-- password where OWNER_PASSWORD, APP_PASSWORD or SIP_PASSWORD is in the environment, and keeps the one it has otherwise.

\if :{?owner_role}
\else
    \set owner_role flexi_owner
\endif
\if :{?app_role}
\else
    \set app_role flexi_app
\endif
\if :{?sip_role}
\else
    \set sip_role flexi_sip
\endif

SET client_min_messages = warning;

-- Two databases of one cluster may be set up at the same time, so the role may appear between the look and the leap.
SELECT format(
    'DO $do$ BEGIN CREATE ROLE %I LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $do$', name)
FROM unnest(ARRAY[:'owner_role', :'app_role', :'sip_role']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec

\getenv owner_password OWNER_PASSWORD
\getenv app_password APP_PASSWORD
\getenv sip_password SIP_PASSWORD
\if :{?owner_password}
    ALTER ROLE :"owner_role" PASSWORD :'owner_password';
\endif
\if :{?app_password}
    ALTER ROLE :"app_role" PASSWORD :'app_password';
\endif
\if :{?sip_password}
    ALTER ROLE :"sip_role" PASSWORD :'sip_password';
\endif

GRANT CONNECT, CREATE, TEMPORARY ON DATABASE :"DBNAME" TO :"owner_role";
GRANT CONNECT ON DATABASE :"DBNAME" TO :"app_role", :"sip_role";
-- A SIP server names its tables without a schema, and only reads.
ALTER ROLE :"sip_role" IN DATABASE :"DBNAME" SET search_path = sip;
ALTER ROLE :"sip_role" IN DATABASE :"DBNAME" SET default_transaction_read_only = on;
