/// Asks the catalog for everything in some schemas, but for what extensions have made.
///
/// To be run with an empty `search_path`, so that names come with their schemas, and with the names of the schemas as `$1`.
enum CatalogQuery {
    static let text = """
        WITH space AS (
            SELECT oid, nspname, quote_ident(nspname) AS name, nspowner, nspacl FROM pg_namespace WHERE nspname = ANY ($1)
        ), extension_member AS (
            SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
        ), relation AS (
            SELECT pg_class.*, format('%I.%I', nspname, relname) AS name,
                CASE WHEN relispartition THEN 'partition' ELSE
                    CASE relkind WHEN 'f' THEN 'foreign table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'table' END
                END AS kind
            FROM pg_class JOIN space ON space.oid = relnamespace
            WHERE relkind IN ('r', 'p', 'f', 'v', 'm')
                AND (1259::oid, pg_class.oid) NOT IN (SELECT classid, objid FROM extension_member)
        ), finding (kind, name, parent, properties) AS (
            \([Self.schemas, Self.relations, Self.parts, Self.sequences, Self.routines, Self.types, Self.others]
                .joined(separator: "\nUNION ALL\n"))
        )
        SELECT kind, name, parent, jsonb_strip_nulls(properties)::text AS properties
        FROM finding
        ORDER BY kind COLLATE "C", name COLLATE "C"
        """

    /// Who may do what, in a fixed order; what nobody has said comes out as PostgreSQL's default.
    private static func grants(_ list: String, _ kind: String, _ owner: String) -> String {
        self.grants("coalesce(\(list), acldefault('\(kind)', \(owner)))")
    }

    private static func grants(_ list: String) -> String {
        """
        (SELECT string_agg(entry, '; ' ORDER BY entry COLLATE "C") FROM (
            SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END || ': ' || string_agg(
                privilege_type || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END, ', '
                ORDER BY privilege_type COLLATE "C") AS entry
            FROM aclexplode(\(list)) GROUP BY grantee) AS entries)
        """
    }

    private static let schemas = """
        SELECT 'schema', name, NULL, jsonb_build_object(
            'owner', pg_get_userbyid(nspowner), 'grants', \(Self.grants("nspacl", "n", "nspowner")))
        FROM space
        UNION ALL
        SELECT 'extension', quote_ident(extname), NULL, jsonb_build_object('schema', nspname)
        FROM pg_extension JOIN space ON space.oid = extnamespace
        UNION ALL
        SELECT 'default privileges',
            format('%s of %I in %s', CASE defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions'
                WHEN 'T' THEN 'types' ELSE 'schemas' END, pg_get_userbyid(defaclrole), name),
            NULL, jsonb_build_object('grants', \(Self.grants("defaclacl")))
        FROM pg_default_acl JOIN space ON space.oid = defaclnamespace
        """

    private static let relations = """
        SELECT relation.kind, relation.name, NULL, jsonb_build_object(
            'owner', pg_get_userbyid(relowner),
            'grants', \(Self.grants("relacl", "r", "relowner")),
            'persistence', CASE relpersistence WHEN 'u' THEN 'unlogged' END,
            'columns', (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
                WHERE attrelid = relation.oid AND attnum > 0 AND NOT attisdropped),
            'options', array_to_string(reloptions, ', '),
            'row security', CASE WHEN relforcerowsecurity THEN 'forced' WHEN relrowsecurity THEN 'enabled' END,
            'replica identity', CASE relreplident WHEN 'f' THEN 'full' WHEN 'i' THEN 'index' WHEN 'n' THEN
                CASE WHEN relkind IN ('r', 'p') THEN 'nothing' END END,
            'partitioned by', CASE relkind WHEN 'p' THEN pg_get_partkeydef(relation.oid) END,
            'bound', pg_get_expr(relpartbound, relation.oid),
            'inherits', (SELECT string_agg(inhparent::regclass::text, ', ' ORDER BY inhseqno) FROM pg_inherits
                WHERE inhrelid = relation.oid),
            'tablespace', (SELECT spcname FROM pg_tablespace WHERE oid = reltablespace),
            'populated', CASE WHEN relkind = 'm' AND NOT relispopulated THEN 'no' END,
            'definition', CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(relation.oid) END)
        FROM relation
        """

    /// Of tables, and of domains.
    private static let parts = """
        SELECT 'column', format('%s.%I', relation.name, attname), relation.kind || ' ' || relation.name, jsonb_build_object(
            'type', format_type(atttypid, atttypmod),
            'null', CASE WHEN attnotnull THEN 'no' ELSE 'yes' END,
            'default', CASE attgenerated WHEN '' THEN pg_get_expr(adbin, adrelid) END,
            'generated', CASE attgenerated WHEN '' THEN NULL ELSE pg_get_expr(adbin, adrelid) END,
            'identity', CASE attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END,
            'collation', CASE WHEN attcollation <> typcollation THEN attcollation::regcollation::text END,
            'storage', CASE WHEN attstorage <> typstorage THEN attstorage::text END,
            'compression', nullif(to_jsonb(pg_attribute) ->> 'attcompression', ''),
            'statistics', nullif(to_jsonb(pg_attribute) ->> 'attstattarget', '-1'),
            'grants', \(Self.grants("attacl")))
        FROM relation
        JOIN pg_attribute ON attrelid = relation.oid
        JOIN pg_type ON pg_type.oid = atttypid
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE relkind IN ('r', 'p', 'f') AND attnum > 0 AND NOT attisdropped
        UNION ALL
        SELECT 'constraint', format('%s.%I', relation.name, conname), relation.kind || ' ' || relation.name, jsonb_build_object(
            'definition', pg_get_constraintdef(pg_constraint.oid))
        FROM relation JOIN pg_constraint ON conrelid = relation.oid WHERE contype <> 't'
        UNION ALL
        SELECT 'constraint', format('%s.%I', contypid::regtype, conname), 'domain ' || contypid::regtype, jsonb_build_object(
            'definition', pg_get_constraintdef(pg_constraint.oid))
        FROM pg_constraint JOIN space ON space.oid = connamespace WHERE contypid <> 0
        UNION ALL
        SELECT 'index', format('%I.%I', nspname, index.relname), relation.kind || ' ' || relation.name, jsonb_build_object(
            'definition', pg_get_indexdef(indexrelid),
            'valid', CASE WHEN indisvalid THEN 'yes' ELSE 'no' END,
            'clustered', CASE WHEN indisclustered THEN 'yes' END,
            'replica identity', CASE WHEN indisreplident THEN 'yes' END,
            'tablespace', (SELECT spcname FROM pg_tablespace WHERE oid = index.reltablespace))
        FROM relation
        JOIN pg_index ON indrelid = relation.oid
        JOIN pg_class AS index ON index.oid = indexrelid
        JOIN pg_namespace ON pg_namespace.oid = index.relnamespace
        UNION ALL
        SELECT 'trigger', format('%s.%I', relation.name, tgname), relation.kind || ' ' || relation.name, jsonb_build_object(
            'definition', pg_get_triggerdef(pg_trigger.oid), 'enabled', tgenabled)
        FROM relation JOIN pg_trigger ON tgrelid = relation.oid WHERE NOT tgisinternal
        UNION ALL
        SELECT 'rule', format('%s.%I', relation.name, rulename), relation.kind || ' ' || relation.name, jsonb_build_object(
            'definition', pg_get_ruledef(pg_rewrite.oid), 'enabled', ev_enabled)
        FROM relation JOIN pg_rewrite ON ev_class = relation.oid WHERE rulename <> '_RETURN'
        UNION ALL
        SELECT 'policy', format('%s.%I', relation.name, polname), relation.kind || ' ' || relation.name, jsonb_build_object(
            'command', polcmd, 'kind', CASE WHEN polpermissive THEN 'permissive' ELSE 'restrictive' END,
            'roles', (SELECT string_agg(CASE role WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(role) END, ', ' ORDER BY role)
                FROM unnest(polroles) AS role),
            'using', pg_get_expr(polqual, polrelid), 'check', pg_get_expr(polwithcheck, polrelid))
        FROM relation JOIN pg_policy ON polrelid = relation.oid
        UNION ALL
        SELECT 'statistics', format('%I.%I', nspname, stxname), relation.kind || ' ' || relation.name, jsonb_build_object(
            'definition', pg_get_statisticsobjdef(pg_statistic_ext.oid), 'owner', pg_get_userbyid(stxowner))
        FROM relation JOIN pg_statistic_ext ON stxrelid = relation.oid JOIN pg_namespace ON pg_namespace.oid = stxnamespace
        """

    private static let sequences = """
        SELECT 'sequence', format('%I.%I', nspname, relname), NULL, jsonb_build_object(
            'type', format_type(seqtypid, NULL), 'start', seqstart::text, 'increment', seqincrement::text, 'minimum', seqmin::text,
            'maximum', seqmax::text, 'cache', seqcache::text, 'cycle', CASE WHEN seqcycle THEN 'yes' END,
            'owner', pg_get_userbyid(relowner),
            'grants', \(Self.grants("relacl", "S", "relowner")),
            'owned by', (SELECT format('%s.%I', refobjid::regclass, attname) FROM pg_depend
                JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
                WHERE classid = 1259 AND objid = pg_class.oid AND refclassid = 1259 AND deptype IN ('a', 'i')))
        FROM pg_sequence JOIN pg_class ON pg_class.oid = seqrelid JOIN space ON space.oid = relnamespace
        WHERE (1259::oid, pg_class.oid) NOT IN (SELECT classid, objid FROM extension_member)
        """

    private static let routines = """
        SELECT CASE prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
            format('%I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(pg_proc.oid)), NULL, jsonb_build_object(
            'owner', pg_get_userbyid(proowner),
            'grants', \(Self.grants("proacl", "f", "proowner")),
            'definition', CASE prokind WHEN 'a' THEN NULL ELSE pg_get_functiondef(pg_proc.oid) END,
            'transition', aggtransfn::regprocedure::text, 'state', format_type(aggtranstype, NULL),
            'final', nullif(aggfinalfn::oid, 0)::regprocedure::text, 'initial', agginitval)
        FROM pg_proc JOIN space ON space.oid = pronamespace LEFT JOIN pg_aggregate ON aggfnoid = pg_proc.oid
        WHERE (1255::oid, pg_proc.oid) NOT IN (SELECT classid, objid FROM extension_member)
        """

    private static let types = """
        SELECT CASE typtype WHEN 'd' THEN 'domain' ELSE 'type' END, pg_type.oid::regtype::text, NULL, jsonb_build_object(
            'owner', pg_get_userbyid(typowner),
            'grants', \(Self.grants("typacl", "T", "typowner")),
            'labels', (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum
                WHERE enumtypid = pg_type.oid),
            'base', CASE typtype WHEN 'd' THEN format_type(typbasetype, typtypmod) END,
            'default', CASE typtype WHEN 'd' THEN typdefault END,
            'null', CASE WHEN typtype = 'd' AND typnotnull THEN 'no' END,
            'subtype', (SELECT format_type(rngsubtype, NULL) FROM pg_range WHERE rngtypid = pg_type.oid),
            'attributes', CASE typtype WHEN 'c' THEN
                (SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)
                FROM pg_attribute WHERE attrelid = typrelid AND attnum > 0 AND NOT attisdropped) END)
        FROM pg_type JOIN space ON space.oid = typnamespace
        WHERE (typtype IN ('d', 'e', 'r') OR typtype = 'c' AND (SELECT relkind FROM pg_class WHERE oid = typrelid) = 'c')
            AND (1247::oid, pg_type.oid) NOT IN (SELECT classid, objid FROM extension_member)
        """

    /// Rarer things, known by name and owner only.
    private static let others = """
        SELECT identity.type, identity.identity, NULL, jsonb_build_object('owner', pg_get_userbyid(owner))
        FROM (
            SELECT 2617::oid AS class, oid AS object, oprnamespace AS schema, oprowner AS owner FROM pg_operator
            UNION ALL SELECT 2616, oid, opcnamespace, opcowner FROM pg_opclass
            UNION ALL SELECT 3456, oid, collnamespace, collowner FROM pg_collation
            UNION ALL SELECT 3602, oid, cfgnamespace, cfgowner FROM pg_ts_config
            UNION ALL SELECT 3600, oid, dictnamespace, dictowner FROM pg_ts_dict
        ) AS other
        JOIN space ON space.oid = schema
        CROSS JOIN pg_identify_object(class, object, 0) AS identity
        WHERE (class, object) NOT IN (SELECT classid, objid FROM extension_member)
        """
}
