use super::*;

fn cast(text: &str) -> Result<Cast, Unplayable> {
    Cast::of(&text.parse().unwrap())
}

#[test]
fn the_sample_plays_with_its_own_people() {
    let cast = cast(crate::config::SAMPLE).unwrap();
    let names: Vec<&str> = cast.players.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["alice", "bob", "carol", "dana"]);
    assert!(cast.players.iter().all(|one| !one.made_up && one.has_key));
    let rooms: Vec<(&str, bool, usize)> = cast
        .rooms
        .iter()
        .map(|room| (room.id.as_str(), room.private, room.members.len()))
        .collect();
    assert_eq!(rooms, [("C0APPROVALS", false, 4), ("C0SECURITY", true, 1)]);
    assert!(cast.world().check().is_ok());
}

#[test]
fn people_are_made_up_for_groups_that_only_the_chat_knows() {
    let cast = cast(
        r#"
        [group.sre]
        slack_usergroup = "sre"
        [group.ops]
        slack_usergroup = "S0OPS"
        members = ["slack:T1/U7", "person:ada"]
        [person.ada]
        accounts = ["slack:T1/U9"]
        [resource.x]
        request = ["group:ops"]
        channels = ["slack:C0777", "slack:#a-b", "slack:#ab"]
        "#,
    )
    .unwrap();
    let names: Vec<(&str, bool)> = cast
        .players
        .iter()
        .map(|one| (one.name.as_str(), one.made_up))
        .collect();
    assert_eq!(
        names,
        [
            ("ada", false),
            ("u7", false),
            ("ben", true),
            ("cleo", true),
            ("dev", true),
            ("eli", true)
        ]
    );
    assert_eq!(cast.groups["ops"].len(), 4);
    assert_eq!(cast.groups["sre"].len(), 2);
    let ids: Vec<&str> = cast.rooms.iter().map(|room| room.id.as_str()).collect();
    assert_eq!(ids, ["C0AB", "C0ABX", "C0777"], "no two rooms are one");
    let world = cast.world();
    assert!(world.check().is_ok(), "{:?}", world.check());
    let groups: Vec<(&str, &str)> = world
        .usergroups
        .iter()
        .map(|one| (one.id.as_str(), one.handle.as_str()))
        .collect();
    assert_eq!(groups, [("S0OPS", "ops"), ("S0MADE1", "sre")]);
}

#[test]
fn two_workspaces_or_nobody_can_not_be_played() {
    let two =
        cast("[group.a]\nmembers = [\"slack:T2/U1\"]\n[group.b]\nmembers = [\"slack:T1/U1\", \"slack:T1/U2\"]")
            .unwrap_err();
    assert_eq!(
        (two.key.as_str(), two.at.as_deref()),
        ("group.a.members", Some("slack:T2/U1"))
    );
    assert!(cast("[slack]").unwrap_err().what.contains("nobody"));
}
