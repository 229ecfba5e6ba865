//! A target in code, for tests of a server beside it: the same values as in a target file.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Client, Endpoints, Length, Target, User};
use crate::protocol::{Capability, Role, UserRole};
use crate::secret::Secret;
use crate::timing::Constant;

impl Target {
    /// A server with this issuer, `http://127.0.0.1:3000` for example: paths are paths below its origin, and its
    /// metadata (RFC 8414 §3), if there is any, names what [`Target::with_endpoints`] leaves out.
    #[must_use]
    pub fn at(issuer: impl Into<String>) -> Self {
        let issuer = issuer.into();
        Self {
            target: "the server".to_owned(),
            issuer: Some(issuer),
            endpoints: Endpoints::default(),
            resource: None,
            params: BTreeMap::new(),
            headers: super::ExtraHeaders::default(),
            clients: BTreeMap::new(),
            users: BTreeMap::new(),
            capabilities: Vec::new(),
            lacks: Vec::new(),
            approval: None,
            constants: BTreeMap::new(),
            tls: None,
            known_failures: None,
        }
    }

    /// A name for people.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.target = name.into();
        self
    }

    /// Where its endpoints are.
    #[must_use]
    pub fn with_endpoints(mut self, endpoints: Endpoints) -> Self {
        self.endpoints = endpoints;
        self
    }

    /// A registered client. [`Role::Tv`] is required; each other one makes more checks possible.
    #[must_use]
    pub fn with_client(mut self, role: Role, client: Client) -> Self {
        self.clients.insert(role, client);
        self
    }

    /// Somebody who can decide. With bob beside alice, checks of two users are possible.
    #[must_use]
    pub fn with_user(mut self, role: UserRole, user: User) -> Self {
        self.users.insert(role, user);
        self
    }

    /// What the server can do beyond what clients, users and endpoints show: refresh tokens, ID tokens.
    #[must_use]
    pub fn with_capability(mut self, capability: Capability) -> Self {
        self.capabilities.push(capability);
        self
    }

    /// What the server cannot do although it looks so: [`Capability::Denial`] where nobody can say no.
    #[must_use]
    pub fn lacking(mut self, capability: Capability) -> Self {
        self.lacks.push(capability);
        self
    }

    /// A tolerance that differs from the default.
    #[must_use]
    pub fn with_constant(mut self, constant: Constant, length: Duration) -> Self {
        self.constants.insert(constant, Length(length));
        self
    }
}

impl Endpoints {
    /// The two that every server has, as paths below the issuer's origin or absolute: where codes come from
    /// (RFC 8628 §3.1), and where devices poll (RFC 8628 §3.4).
    #[must_use]
    pub fn at(device_authorization: impl Into<String>, token: impl Into<String>) -> Self {
        Self {
            device_authorization: Some(device_authorization.into()),
            token: Some(token.into()),
            ..Self::default()
        }
    }

    /// A resource that takes the access token as a bearer token, asked with GET.
    #[must_use]
    pub fn with_api(mut self, path: impl Into<String>) -> Self {
        self.api = Some(path.into());
        self
    }

    /// Where tokens are revoked (RFC 7009).
    #[must_use]
    pub fn with_revocation(mut self, path: impl Into<String>) -> Self {
        self.revocation = Some(path.into());
        self
    }

    /// Where tokens are looked up (RFC 7662).
    #[must_use]
    pub fn with_introspection(mut self, path: impl Into<String>) -> Self {
        self.introspection = Some(path.into());
        self
    }
}

impl Client {
    /// A client without a secret.
    #[must_use]
    pub fn public(id: impl Into<String>) -> Self {
        Self { id: id.into(), secret: None, auth: None, auth_at: BTreeMap::new(), scope: None }
    }

    /// A client with a secret, sent by HTTP Basic unless `auth` says otherwise.
    #[must_use]
    pub fn confidential(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { secret: Some(Secret::new(secret)), ..Self::public(id) }
    }

    /// The scope that its device authorization requests ask for.
    #[must_use]
    pub fn with_scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }
}

impl User {
    /// What is typed as the name and as the password.
    #[must_use]
    pub fn new(login: impl Into<String>, password: impl Into<String>) -> Self {
        Self { login: login.into(), password: Secret::new(password) }
    }
}
