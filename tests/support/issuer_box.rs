//! The part of a config that gives access to a box: an issuer that somebody wrote, and what it gives.

/// An issuer with these lines, and a resource of its kind of access.
pub fn issuer_box(issuer: &str, lines: &str, resource: &str, grant: &str) -> String {
    let lines = lines.trim_end();
    format!("\n[issuer.{issuer}]\n{lines}\n") + &box_resource(issuer, resource, grant)
}

/// What this issuer gives: engineers ask for it, and one of sre approves.
pub fn box_resource(issuer: &str, resource: &str, grant: &str) -> String {
    format!(
        r#"
[resource.{resource}]
title = "Access to the box"
project = "shop"
action = "admin"
risk = "low"
issuer = "{issuer}"
grant = {{ {grant} }}
duration = {{ default = "1h", max = "8h" }}
request = ["group:engineering"]
approve = [{{ from = ["group:sre"] }}]
channels = ["slack:#approvals"]
"#
    )
}
