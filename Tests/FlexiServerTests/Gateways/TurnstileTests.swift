import Testing

@testable import FlexiServer

@Suite("Turnstile")
struct TurnstileTests {
    @Test func noMoreThanItsWidthPassAtATime() async throws {
        let turnstile = Turnstile(width: 3, queueLimit: 100)
        let inside = Shared((now: 0, most: 0))
        _ = try await race(50) { _ in
            try await turnstile.pass {
                inside.change { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
                for _ in 0..<5 { await Task.yield() }
                inside.change { $0.now -= 1 }
            }
        }
        #expect(inside.change { $0.now } == 0)
        #expect((1...3).contains(inside.change { $0.most }))
    }

    @Test func theQueueKeepsItsOrderAndItsLimit() async throws {
        let turnstile = Turnstile(width: 1, queueLimit: 2)
        let gate = TestGate()
        let order = Shared<[Int]>([])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await turnstile.pass { await gate.wait() } }
            try await until { turnstile.free == 0 }
            for index in 1...2 {
                group.addTask { try await turnstile.pass { order.change { $0.append(index) } } }
                try await until { turnstile.waiting == index }
            }
            await #expect(throws: Turnstile.QueueFull.self) { try await turnstile.pass {} }
            gate.open()
            try await group.waitForAll()
        }
        #expect(order.value == [1, 2])
        #expect(turnstile.free == 1)
    }

    @Test func whoeverGivesUpLeavesTheQueue() async throws {
        let turnstile = Turnstile(width: 1, queueLimit: 1)
        let gate = TestGate()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await turnstile.pass { await gate.wait() } }
            try await until { turnstile.free == 0 }
            let waiter = Task { try await turnstile.pass {} }
            try await until { turnstile.waiting == 1 }
            waiter.cancel()
            await #expect(throws: CancellationError.self) { try await waiter.value }
            #expect(turnstile.waiting == 0)
            gate.open()
            try await group.waitForAll()
        }
        try await turnstile.pass {}
        #expect(turnstile.free == 1)
    }

    @Test func theNextOnePassesAfterAnError() async throws {
        struct Expected: Error {}
        let turnstile = Turnstile(width: 1, queueLimit: 0)
        await #expect(throws: Expected.self) { try await turnstile.pass { throw Expected() } }
        try await turnstile.pass {}
    }
}
