//! From a press in Slack to the act that it means. Pure.

use slack_morphism::events::{SlackInteractionActionContainer, SlackInteractionBlockActionsEvent};

use super::button;
use crate::domain::command::{Act, Command, Draft, Inbound, MessageRef, Press, Query, Via};
use crate::domain::ids::{AccountId, InvalidName, Place};

/// What a press means; none if it is not on a button that we could have made.
pub(super) fn pressed(
    event: &SlackInteractionBlockActionsEvent,
) -> Result<Option<Inbound>, InvalidName> {
    let [action] = event.actions.as_deref().unwrap_or_default() else {
        return Ok(None);
    };
    let (Some(user), Some(value)) = (&event.user, &action.value) else {
        return Ok(None);
    };
    let team = &event.team.id.0;
    let (place, on, at) = match &event.container {
        SlackInteractionActionContainer::Message(container) => {
            let channel = container
                .channel_id
                .as_ref()
                .or(event.channel.as_ref().map(|channel| &channel.id));
            let Some(channel) = channel else {
                return Ok(None);
            };
            let place = Place::new(format!("slack:{team}/{}", channel.0))?;
            let on = MessageRef {
                place: place.clone(),
                message: container.message_ts.0.clone(),
            };
            let at = format!("{}:{}", channel.0, on.message);
            (place, Some(on), at)
        }
        // The Home tab: answers go to the conversation with the person, which their id names.
        SlackInteractionActionContainer::View(container) => {
            let place = Place::new(format!("slack:{team}/{}", user.id.0))?;
            (place, None, container.view_id.0.clone())
        }
        SlackInteractionActionContainer::MessageAttachment(_) => return Ok(None),
    };
    let Some(act) = act(&action.action_id.0, value, on.as_ref()) else {
        return Ok(None);
    };
    // In a shared channel somebody of another workspace can press: that is who they are.
    let home = user.team_id.as_ref().map_or(team, |team| &team.0);
    let action_ts = match &action.action_ts {
        Some(ts) => ts.0.as_str(),
        None => event.trigger_id.0.as_str(),
    };
    Ok(Some(Inbound {
        once: format!("slack:press:{at}:{}:{action_ts}", user.id.0),
        actor: AccountId::new(format!("slack:{home}/{}", user.id.0))?,
        place,
        via: Via::Button(on),
        act,
    }))
}

fn act(action_id: &str, value: &str, on: Option<&MessageRef>) -> Option<Act> {
    if action_id == button::ASK {
        let resource = button::read_ask_value(value)?;
        return Some(Act::Query(Query::RequestForm(Draft {
            resource: resource.map(|name| name.to_string()),
            ..Draft::default()
        })));
    }
    let (request, version) = button::read_button_value(value)?;
    Some(match action_id {
        // Decisions count on a card alone.
        button::APPROVE | button::DENY => {
            let press = Press {
                request,
                version,
                on: on?.clone(),
            };
            Act::Command(if action_id == button::APPROVE {
                Command::Approve(press)
            } else {
                Command::Deny { press, why: None }
            })
        }
        button::WITHDRAW => Act::Command(Command::Withdraw(request)),
        button::DONE => Act::Command(Command::Done(request)),
        button::AGAIN => Act::Command(Command::SendAgain(request)),
        button::EXTEND => Act::Query(Query::ExtendForm(request)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(value: &str, action_id: &str) -> SlackInteractionBlockActionsEvent {
        serde_json::from_value(json!({
            "type": "block_actions",
            "team": {"id": "T1", "domain": "shop"},
            "user": {"id": "U2", "team_id": "T1"},
            "api_app_id": "A1",
            "container": {"type": "message", "message_ts": "17.5", "channel_id": "C1"},
            "trigger_id": "t.1",
            "channel": {"id": "C1", "name": "approvals"},
            "response_url": "http://127.0.0.1:1/response",
            "actions": [{"type": "button", "action_id": action_id, "value": value, "action_ts": "18.1",
                         "block_id": "jitbot_decide"}],
        }))
        .unwrap()
    }

    #[test]
    fn a_press_names_its_button_message_and_moment() {
        let id = crate::domain::ids::RequestId::from_bits(4);
        let inbound = pressed(&event(&button::button_value(&id, 2), button::APPROVE))
            .unwrap()
            .unwrap();
        assert_eq!(inbound.once, "slack:press:C1:17.5:U2:18.1");
        assert_eq!(inbound.actor.as_str(), "slack:T1/U2");
        let Act::Command(Command::Approve(press)) = inbound.act else {
            panic!("{:?}", inbound.act);
        };
        assert_eq!((press.request, press.version), (id, 2));
        assert_eq!(press.on.message, "17.5");
        assert_eq!(press.on.place.as_str(), "slack:T1/C1");
    }

    #[test]
    fn a_press_on_what_we_did_not_make_means_nothing() {
        let id = crate::domain::ids::RequestId::from_bits(4);
        assert_eq!(pressed(&event("{\"r\":\"x\"}", button::APPROVE)), Ok(None));
        assert_eq!(
            pressed(&event(&button::button_value(&id, 2), "jitbot_all")),
            Ok(None)
        );
    }
}
