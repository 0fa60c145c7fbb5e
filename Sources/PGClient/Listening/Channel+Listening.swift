import CLibPQ

extension Channel {
    /// From now on notifications go to `inflow`; who took them before is told that it gets no more.
    func watch(_ inflow: Inflow<PGNotification>) {
        self.notifications?.finish(PGError(.invalidState, message: "another caller listens on this connection"))
        self.notifications = inflow
        guard self.isOpen else { return inflow.finish(self.failure) }
        self.scheduleHeartbeat()
    }

    func stopWatching(_ error: PGError) {
        self.notifications?.finish(error)
        self.notifications = nil
    }

    /// Hands over what libpq has kept. A connection without a statement is read no further when the task is behind.
    func takeNotifications() {
        while let notification = PQnotifies(self.connection) {
            defer { PQfreemem(notification) }
            guard let notifications, let channel = notification.pointee.relname, let extra = notification.pointee.extra
            else { continue }
            let value = PGNotification(
                channel: String(cString: channel), payload: String(cString: extra),
                backendPID: notification.pointee.be_pid)
            let hasRoom = notifications.append(value, size: value.channel.utf8.count + value.payload.utf8.count + 64)
            if !hasRoom && self.job == nil { self.isHeldBack = true }
        }
        self.notifications?.deliver()
    }

    func readOn() {
        guard self.isOpen, self.job == nil else { return }
        self.isHeldBack = false
        self.scheduleHeartbeat()
    }

    func scheduleHeartbeat() {
        guard self.notifications != nil, self.job == nil, self.isOpen else { return }
        self.deadline = .now + self.driver.configuration.heartbeat
    }

    /// Nothing was heard for a while. A server that does not answer in time is taken for lost.
    func beat() {
        guard self.notifications != nil, self.job == nil, !self.isHeldBack else { return self.deadline = nil }
        self.ping()
    }

    /// Asks the server for any answer; the connection is lost when there is none in time.
    func ping() {
        let ping = Job(.simple(""))
        ping.isInternal = true
        ping.timeLimit = self.driver.configuration.pool.pingTimeout
        self.run(ping)
    }
}
