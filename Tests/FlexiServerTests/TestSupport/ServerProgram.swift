import PGTesting

/// The FlexiServer program, run as a process of its own.
struct ServerProgram {
    struct Result: Sendable {
        let status: Int32
        let output: String
        let error: String
    }

    private let program: TestProgram

    private init(_ arguments: [String], environment: [String: String], input: String) throws {
        self.program = try TestProgram("FlexiServer", arguments, environment: environment, input: input)
    }

    static func start(_ arguments: [String], environment: [String: String]) throws -> ServerProgram {
        try ServerProgram(arguments, environment: environment, input: "")
    }

    static func run(
        _ arguments: [String], environment: [String: String], input: String = ""
    ) async throws -> Result {
        try await ServerProgram(arguments, environment: environment, input: input).wait()
    }

    /// What the program needs to use the database as the server does.
    static func environment(_ database: TestDatabase) -> [String: String] {
        [
            "FLEXI_SECRET_KEY": TestServer.secretKey, "PGOPTIONS": "-c role=flexi_app",
            // A busy machine may take its time.
            "DATABASE_URL": "\(database.conninfo) connect_timeout=60",
        ]
    }

    func terminate() {
        self.program.terminate()
    }

    func wait() async -> Result {
        let result = await self.program.wait()
        return Result(status: result.status, output: result.output, error: result.error)
    }

    /// The port that a serving program has chosen, as it logs it.
    func port() async throws -> Int {
        try await self.find { log in
            log.firstMatch(of: #/listening on [^:]+:(\d+)/#).flatMap { Int($0.output.1) }
        }
    }

    /// Waits until `find` finds something in what the program has logged.
    func find<Found>(_ find: (String) -> Found?) async throws -> Found {
        try await self.program.find(find)
    }
}
