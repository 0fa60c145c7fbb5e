extension PoolMachine {
    /// What is to be done, in order. Nearly always one thing, which therefore needs no array.
    struct Actions: Sequence {
        private(set) var first: Action?
        private(set) var rest: [Action] = []

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
            for action in right { both.append(action) }
            return both
        }

        func makeIterator() -> Iterator { Iterator(actions: self) }

        struct Iterator: IteratorProtocol {
            fileprivate let actions: Actions
            private var position = -1

            fileprivate init(actions: Actions) { self.actions = actions }

            mutating func next() -> Action? {
                defer { self.position += 1 }
                if self.position < 0 { return self.actions.first }
                return self.position < self.actions.rest.count ? self.actions.rest[self.position] : nil
            }
        }
    }
}
