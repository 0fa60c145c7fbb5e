import Synchronization

/// A number that several tasks add to.
final class Counter: Sendable {
    private let total = Atomic(0)

    var value: Int { self.total.load(ordering: .relaxed) }

    func add(_ number: Int) {
        self.total.add(number, ordering: .relaxed)
    }
}
