//! What a visit of the pages needs to know of its session, and what it is worth when it comes to nothing.

use std::time::Duration;

use super::case::Stop;
use super::session::Codes;
use crate::protocol::Role;

/// What a visit needs to know of its session.
pub(super) struct Visit {
    pub(super) codes: Codes,
    pub(super) client: Role,
    pub(super) lifetime: Duration,
    /// From when on what a page says of the code proves nothing.
    pub(super) may_end: Option<Duration>,
}

impl Visit {
    /// Why it came to nothing, at an instant; uncertain where the code may have been over by then.
    pub(super) fn in_vain(&self, now: Duration, why: String) -> Stop {
        match self.may_end {
            Some(end) if now > end => {
                Stop::Inconclusive(format!("{why}; the code may have been over by then"))
            }
            _ => Stop::NotExercised(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visit_that_came_to_nothing_proves_nothing_where_the_code_may_have_ended() {
        let in_vain = |may_end: Option<u64>, now: u64| {
            let codes = Codes {
                device_code: "device".to_owned(),
                user_code: "BCDF-GHJK".to_owned(),
                verification_uri: String::new(),
                verification_uri_complete: None,
                interval: None,
                lifetime: None,
                issued: 1,
            };
            let may_end = may_end.map(Duration::from_secs);
            let visit = Visit { codes, client: Role::Tv, lifetime: Duration::from_secs(60), may_end };
            visit.in_vain(Duration::from_secs(now), "the code was refused".to_owned())
        };
        assert!(matches!(in_vain(Some(58), 57), Stop::NotExercised(why) if why == "the code was refused"));
        assert!(
            matches!(in_vain(Some(58), 59), Stop::Inconclusive(why) if why.starts_with("the code was refused; "))
        );
        assert!(matches!(in_vain(None, 59), Stop::NotExercised(_)), "a step waited for the end");
    }
}
