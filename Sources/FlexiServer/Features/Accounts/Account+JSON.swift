/// The account's JSON, its members in the order that deployed clients know.
extension Account: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { json in self.writeMembers(to: &json) }
    }

    fileprivate func writeMembers(to json: inout JSONWriter) {
        json.member("id", self.id.rawValue)
        json.member("username", self.username)
        json.member("domain", self.domain.value)
        json.member("email", self.email)
        json.member("activated", self.isActivated)
        json.member("ip_address", self.ipAddress)
        json.member("user_agent", self.userAgent)
        json.member("creation_time", TimeText.plain(self.createdAt))
        json.member("display_name", self.displayName)
        json.member("dtmf_protocol", self.dtmfProtocol?.rawValue)
        json.member("realm", self.realm)
        json.member("phone", self.phone)
        json.member("confirmation_key_expires", self.activationExpiration.map { TimeText.plain($0.expiresAt) })
        json.member("passwords") { json in
            json.array(self.algorithms) { json, algorithm in
                json.object { json in json.member("algorithm", algorithm) }
            }
        }
        self.writeAdmin(to: &json)
        self.writePendingChanges(to: &json)
        json.member("types") { json in json.array(self.types) { json, type in type.write(to: &json) } }
        json.member("actions") { json in json.array(self.actions) { json, action in action.write(to: &json) } }
    }

    private func writeAdmin(to json: inout JSONWriter) {
        guard let admin = self.admin else { return json.nullMember("admin") }
        json.member("admin") { json in
            json.object { json in
                json.member("created_at", TimeText.rfc3339(admin.createdAt))
                json.member("updated_at", TimeText.rfc3339(admin.updatedAt))
                json.member("scope", admin.scope.rawValue)
            }
        }
    }

    private func writePendingChanges(to json: inout JSONWriter) {
        if let change = self.emailChange {
            json.member("email_changed") { json in
                json.object { json in
                    json.member("new_email", change.newEmail)
                    json.member("created_at", TimeText.plain(change.createdAt))
                }
            }
        } else {
            json.nullMember("email_changed")
        }
        if let expiration = self.activationExpiration {
            json.member("activation_expiration") { json in
                json.object { json in
                    json.member("id", expiration.id)
                    json.member("account_id", self.id.rawValue)
                    json.member("expires", TimeText.plain(expiration.expiresAt))
                    json.member("created_at", TimeText.rfc3339(expiration.createdAt))
                    json.member("updated_at", TimeText.rfc3339(expiration.createdAt))
                }
            }
        } else {
            json.nullMember("activation_expiration")
        }
    }
}

extension Account.TypeReference: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("id", self.id)
            json.member("key", self.key)
        }
    }
}

extension Account.Action: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("id", self.id)
            json.member("key", self.key)
            json.member("code", self.code)
        }
    }
}

/// An account with the two secrets that an administrator may hand on.
struct AccountWithSecrets: JSONWritable {
    let account: Account
    let secrets: Account.Secrets

    func write(to json: inout JSONWriter) {
        json.object { json in
            self.account.writeMembers(to: &json)
            json.member("confirmation_key", self.secrets.confirmationKey?.reveal())
            json.member("provisioning_token", self.secrets.provisioningToken?.reveal())
        }
    }
}

extension AccountInfo: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("activated", self.isActivated)
            json.member("realm", self.realm)
        }
    }
}
