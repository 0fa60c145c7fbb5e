import FoundationEssentials
import Synchronization

/// Token buckets, one for each limit and subject: a bucket holds a minute's tokens and is filled evenly.
///
/// The memory is fixed. A bucket that is full again needs no place; where more are in use than there are places, the fullest of
/// eight makes room. Each process counts for itself.
final class RateLimiter: Sendable {
    /// A bucket as the time at which it will be full (the generic cell rate algorithm of ATM), in microseconds.
    private struct Bucket {
        var key: UInt64
        var fullAt: Int64
    }

    /// Some buckets under one lock, which is held for nanoseconds.
    private final class Shard: Sendable {
        let buckets = Mutex([Bucket](repeating: Bucket(key: 0, fullAt: 0), count: RateLimiter.shardSize))
    }

    private enum Outcome {
        case left(Int)
        case exhausted(retryAfter: Int)
    }

    private static let shardCount = 64
    private static let shardSize = 1_024
    private static let ways = 8
    private static let minute: Int64 = 60_000_000

    private let shards = (0..<RateLimiter.shardCount).map { _ in Shard() }
    /// By the raw value of the limit; 0 is none.
    private let limits: [Int]

    /// `perMinute` is asked once for each limit; 0 turns it off.
    init(_ perMinute: (RateLimit) -> Int) {
        self.limits = RateLimit.allCases.map(perMinute)
    }

    /// Takes one token. `nil` where the limit is off.
    ///
    /// - Throws: 429 when there is none.
    @discardableResult
    func take(_ limit: RateLimit, by subject: RateLimit.Subject, at now: Date) throws(APIError) -> RateLimit.Allowance?
    {
        try self.allowance(of: limit, subject, at: now, taking: 1)
    }

    /// Takes nothing, and fails where nothing could be taken.
    func check(_ limit: RateLimit, by subject: RateLimit.Subject, at now: Date) throws(APIError) {
        _ = try self.allowance(of: limit, subject, at: now, taking: 0)
    }

    /// Runs `examine`, which throws an error that is wrong when a guess is. A token is taken before, and given back unless the guess
    /// was wrong: however many come at a time, no more are examined than the limit allows.
    ///
    /// - Throws: 429, with nothing examined, when there is no token; and what `examine` throws.
    func guess<Answer>(
        _ limit: RateLimit, by subject: RateLimit.Subject, at now: Date, isWrong: (any Error) -> Bool,
        _ examine: () async throws -> Answer
    ) async throws -> Answer {
        try self.take(limit, by: subject, at: now)
        do {
            let answer = try await examine()
            self.giveBack(limit, subject)
            return answer
        } catch {
            if !isWrong(error) { self.giveBack(limit, subject) }
            throw error
        }
    }

    /// Takes a token if there is one: for what has happened already.
    func note(_ limit: RateLimit, by subject: RateLimit.Subject, at now: Date) {
        let perMinute = self.limits[limit.rawValue]
        if perMinute > 0 { _ = self.outcome(of: limit, subject, at: now, perMinute: perMinute, taking: 1) }
    }

    private func allowance(
        of limit: RateLimit, _ subject: RateLimit.Subject, at now: Date, taking count: Int64
    ) throws(APIError) -> RateLimit.Allowance? {
        let perMinute = self.limits[limit.rawValue]
        guard perMinute > 0 else { return nil }
        switch self.outcome(of: limit, subject, at: now, perMinute: perMinute, taking: count) {
        case .left(let remaining): return RateLimit.Allowance(limit: perMinute, remaining: remaining)
        case .exhausted(let seconds):
            let error = APIError.tooManyRequests(retryAfter: seconds)
            guard limit == .requests || limit == .failures else { throw error }
            throw error.adding(RateLimit.Allowance(limit: perMinute, remaining: 0))
        }
    }

    private func outcome(
        of limit: RateLimit, _ subject: RateLimit.Subject, at now: Date, perMinute: Int, taking count: Int64
    ) -> Outcome {
        let key = Self.key(limit, subject)
        let now = Int64(now.timeIntervalSince1970 * 1_000_000)
        let interval = Self.interval(perMinute)
        let places = Self.places(of: key)
        return self.shard(of: key).buckets.withLock { buckets in
            var place = places.lowerBound
            for index in places {
                if buckets[index].key == key {
                    place = index
                    break
                }
                if buckets[index].fullAt < buckets[place].fullAt { place = index }
            }
            let known = buckets[place].key == key ? buckets[place].fullAt : now
            // Nobody waits for longer than a minute, also where the clock was set back.
            let fullAt = min(max(known, now), now + Self.minute)
            let next = fullAt + interval
            guard next <= now + Self.minute else {
                return .exhausted(retryAfter: Int((next - Self.minute - now + 999_999) / 1_000_000))
            }
            if count > 0 { buckets[place] = Bucket(key: key, fullAt: next) }
            return .left(Int((now + Self.minute - fullAt) / interval - count))
        }
    }

    private func giveBack(_ limit: RateLimit, _ subject: RateLimit.Subject) {
        let perMinute = self.limits[limit.rawValue]
        guard perMinute > 0 else { return }
        let key = Self.key(limit, subject)
        self.shard(of: key).buckets.withLock { buckets in
            guard let place = Self.places(of: key).first(where: { buckets[$0].key == key }) else { return }
            buckets[place].fullAt -= Self.interval(perMinute)
        }
    }

    /// In which one token comes back, in microseconds.
    private static func interval(_ perMinute: Int) -> Int64 { max(1, self.minute / Int64(perMinute)) }

    private func shard(of key: UInt64) -> Shard { self.shards[Int(key % UInt64(Self.shardCount))] }

    /// Where in its shard a bucket may be.
    private static func places(of key: UInt64) -> Range<Int> {
        let first = Int(key >> 6) % (self.shardSize / self.ways) * self.ways
        return first..<first + self.ways
    }

    /// Hashed with the process's random seed, so that nobody chooses whose bucket they share. Never 0, which an unused place has.
    private static func key(_ limit: RateLimit, _ subject: RateLimit.Subject) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(limit)
        hasher.combine(subject)
        return UInt64(bitPattern: Int64(hasher.finalize())) | 1 << 63
    }
}
