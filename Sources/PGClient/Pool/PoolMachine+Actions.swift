extension PoolMachine {
    /// What is to be done, in order. Nearly always one thing, which therefore needs no array.
    struct Actions: Sequence {
        private(set) var first: Action?
        private var rest: [Action] = []

        init(_ action: Action? = nil) {
            self.first = action
        }

        var isEmpty: Bool { self.first == nil }

        mutating func append(_ action: Action) {
            if self.first == nil {
                self.first = action
            } else {
                self.rest.append(action)
            }
        }

        static func + (left: Actions, right: Actions) -> Actions {
            guard !right.isEmpty else { return left }
            guard !left.isEmpty else { return right }
            var both = left
            right.forEach { both.append($0) }
            return both
        }

        func makeIterator() -> some IteratorProtocol<Action> {
            ((self.first.map { [$0] } ?? []) + self.rest).makeIterator()
        }

        /// As `Sequence` has it, but without an array.
        func forEach(_ body: (Action) -> Void) {
            guard let first else { return }
            body(first)
            for action in self.rest { body(action) }
        }
    }
}
