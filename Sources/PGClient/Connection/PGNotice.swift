/// A message that the server sent without failing the statement: `RAISE NOTICE`, warnings and the like.
public struct PGNotice: Sendable {
    /// `WARNING`, `NOTICE`, `INFO`, `LOG` or `DEBUG`, never translated.
    public let severity: String
    public let sqlState: String
    public let message: String
    public let detail: String?
    public let hint: String?
}
