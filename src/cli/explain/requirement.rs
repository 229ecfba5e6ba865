//! The page of one requirement: what it says, whom it binds, and what judges it or why nothing does.

use super::Page;
use crate::coverage::{Row, Standing};
use crate::report::terminal::wrap;
use crate::requirement::{Party, Testability};

/// Everything about a requirement.
pub(super) fn page(row: &Row<'_>, width: usize) -> String {
    let requirement = row.requirement;
    let mut page = Page { width, lines: vec![requirement.id.clone()] };
    page.lines.extend(wrap(&requirement.text, width));
    page.gap();
    page.row("standard", &requirement.clause());
    page.row("keyword", &requirement.keyword);
    page.row("binds", party(requirement.binds));
    page.row("tested", how(row));
    page.gap();
    for (index, check) in row.checks.iter().enumerate() {
        page.row(if index == 0 { "judged by" } else { "" }, check);
    }
    if let Some(test) = &requirement.judged_by {
        let label = if row.checks.is_empty() { "judged by" } else { "and by" };
        page.row(label, &format!("{test}, at devgrant's own device"));
    }
    if matches!(row.standing(), Standing::NotTestable | Standing::Uncovered) {
        page.row(
            "judged by",
            &format!("nothing: {}", row.reason().unwrap_or("nobody has written a check yet")),
        );
    }
    let command = match row.standing() {
        Standing::Check => {
            format!("devgrant check --requirement {} --target <your target file>", requirement.id)
        }
        Standing::DeviceTest => {
            let name = requirement.judged_by.as_ref().map_or("", |test| test.name()).replace('-', "_");
            format!("cargo test --test it {name}")
        }
        Standing::NotTestable | Standing::Uncovered => return page.lines.join("\n") + "\n",
    };
    page.gap();
    page.lines.push("Only this".to_owned());
    page.lines.push(format!("  {command}"));
    page.lines.join("\n") + "\n"
}

const fn party(party: Party) -> &'static str {
    match party {
        Party::AuthorizationServer => "the authorization server",
        Party::Page => "the verification page",
        Party::ResourceServer => "the protected API",
        Party::Client => "the client: the device",
        Party::Implementer => "whoever decides to use the grant",
    }
}

fn how(row: &Row<'_>) -> &'static str {
    match row.requirement.test {
        Testability::Plain => "by plain HTTP",
        Testability::Timing => "by measuring times",
        Testability::User => "with a user's decision",
        Testability::Page => "by looking at the page",
        Testability::Load => "with many samples",
        Testability::Client if row.checks.is_empty() => "at a device",
        Testability::Client => "at a device, and by what a server makes of a breach",
        Testability::Not => "not from outside",
    }
}
