import PGClient
import PGTesting
import Testing

/// Two servers, one of which follows the other.
@Suite struct FailoverTests {
    @Test func writersFollowThePromotionOfTheStandbyAndReadersChooseTheirServer() async throws {
        try await withTestCluster { primary in
            let standby = try await primary.standby()
            do {
                try await self.failOver(primary, standby)
            } catch {
                try? await standby.remove()
                throw error
            }
            try await standby.remove()
        }
    }

    func failOver(_ primary: TestCluster, _ standby: TestCluster) async throws {
        // The standby is named first, so that it is always asked.
        let servers = [standby, primary]
        for (target, isStandby) in [("read-write", false), ("standby", true), ("prefer-standby", true)] {
            let answer = try await PGConnection.withConnection(
                PGConfiguration(servers.conninfo(target: target)), logger: quietLogger
            ) {
                try await $0.query("SELECT pg_is_in_recovery() AS r").only?.decode("r", as: Bool.self)
            }
            #expect(answer == isStandby, "\(target)")
        }

        let client = PGClient(PGConfiguration(servers.conninfo(target: "read-write")), logger: quietLogger)
        try await client.execute("CREATE TABLE t(x int)")
        try await withThrowingTaskGroup { group in
            let written = Counter()
            for _ in 0..<4 {
                group.addTask {
                    while !Task.isCancelled {
                        do {
                            try await client.execute("INSERT INTO t VALUES (1)")
                            written.add(1)
                        } catch {
                            try? await Task.sleep(for: .milliseconds(10))
                        }
                    }
                }
            }
            try await eventually { written.value > 20 }
            try await primary.stop(.immediate)
            try await standby.promote()
            let (before, start) = (written.value, ContinuousClock.now)
            try await eventually("writes go to the new primary") { written.value > before + 20 }
            #expect(ContinuousClock.now - start < .seconds(20))
            group.cancelAll()
            try await group.waitForAll()
        }
        let answer = try await client.query("SELECT pg_is_in_recovery() AS r, current_setting('port') AS port").only
        #expect(try answer?.decode("r", as: Bool.self) == false)
        #expect(try answer?.decode("port") == "\(standby.port)")

        // Of a primary alone there is no standby to prefer.
        let preferred = PGClient(PGConfiguration(servers.conninfo(target: "prefer-standby")), logger: quietLogger)
        try await preferred.query("SELECT 1")
    }
}
