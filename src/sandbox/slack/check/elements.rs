//! Interactive elements and their limits.

use serde_json::Value;

use super::objects::TextKind;
use super::{Checker, Surface, kind};

const ACTION_ID_CHARS_MAX: usize = 255;
const BUTTON_TEXT_CHARS_MAX: usize = 75;
const BUTTON_VALUE_CHARS_MAX: usize = 2000;
const URL_CHARS_MAX: usize = 3000;
const PLACEHOLDER_CHARS_MAX: usize = 150;
const SELECT_OPTIONS_MAX: usize = 100;
const OVERFLOW_OPTIONS_MAX: usize = 5;
const CHOICES_MAX: usize = 10;
const INPUT_CHARS_MAX: u64 = 3000;
const ALT_TEXT_CHARS_MAX: usize = 2000;

impl Checker {
    pub(super) fn element(&mut self, element: &Value, path: &str) {
        if !element.is_object() {
            self.refuse("must provide an object", path);
            return;
        }
        match kind(element) {
            "button" => self.button(element, path),
            "image" => {
                self.object(element, path, &["alt_text"], &["image_url", "slack_file"]);
                self.string(
                    element.get("image_url"),
                    &format!("{path}/image_url"),
                    1,
                    URL_CHARS_MAX,
                );
                self.string(
                    element.get("alt_text"),
                    &format!("{path}/alt_text"),
                    1,
                    ALT_TEXT_CHARS_MAX,
                );
            }
            "overflow" => {
                self.actionable(element, path, &["options"], &[]);
                self.options(element, path, OVERFLOW_OPTIONS_MAX, TextKind::Plain);
            }
            "checkboxes" | "radio_buttons" => {
                let initial = if kind(element) == "checkboxes" {
                    "initial_options"
                } else {
                    "initial_option"
                };
                self.actionable(element, path, &["options"], &[initial, "focus_on_load"]);
                self.options(element, path, CHOICES_MAX, TextKind::Any);
            }
            "static_select" | "multi_static_select" => self.static_select(element, path),
            "users_select" => self.menu(element, path, &["initial_user"]),
            "multi_users_select" => {
                self.menu(element, path, &["initial_users", "max_selected_items"])
            }
            "channels_select" => {
                self.menu(element, path, &["initial_channel", "response_url_enabled"])
            }
            "multi_channels_select" => {
                self.menu(element, path, &["initial_channels", "max_selected_items"])
            }
            "conversations_select" => self.menu(
                element,
                path,
                &[
                    "initial_conversation",
                    "default_to_current_conversation",
                    "response_url_enabled",
                    "filter",
                ],
            ),
            "multi_conversations_select" => self.menu(
                element,
                path,
                &[
                    "initial_conversations",
                    "default_to_current_conversation",
                    "max_selected_items",
                    "filter",
                ],
            ),
            "external_select" => self.menu(element, path, &["initial_option", "min_query_length"]),
            "multi_external_select" => {
                self.menu(
                    element,
                    path,
                    &["initial_options", "min_query_length", "max_selected_items"],
                );
            }
            "datepicker" => self.menu(element, path, &["initial_date"]),
            "timepicker" => self.menu(element, path, &["initial_time", "timezone"]),
            "datetimepicker" => {
                self.actionable(element, path, &[], &["initial_date_time", "focus_on_load"])
            }
            "plain_text_input" => self.plain_text_input(element, path),
            "email_text_input" | "url_text_input" => {
                self.menu(element, path, &["initial_value", "dispatch_action_config"]);
            }
            "number_input" => self.menu(
                element,
                path,
                &[
                    "is_decimal_allowed",
                    "initial_value",
                    "min_value",
                    "max_value",
                    "dispatch_action_config",
                ],
            ),
            "" => self.refuse("missing required field: type", path),
            other => self.refuse(
                format!("unsupported type: {other}"),
                &format!("{path}/type"),
            ),
        }
    }

    /// What all interactive elements share: `action_id`, `confirm`, and one focus in a view.
    fn actionable(&mut self, element: &Value, path: &str, required: &[&str], optional: &[&str]) {
        let optional: Vec<&str> = optional
            .iter()
            .copied()
            .chain(["action_id", "confirm"])
            .collect();
        self.object(element, path, required, &optional);
        self.string(
            element.get("action_id"),
            &format!("{path}/action_id"),
            1,
            ACTION_ID_CHARS_MAX,
        );
        if let Some(confirm) = element.get("confirm") {
            self.confirm(confirm, &format!("{path}/confirm"));
        }
        if element.get("focus_on_load") == Some(&Value::Bool(true)) {
            if self.focused {
                self.refuse(
                    "only one element may have focus_on_load",
                    &format!("{path}/focus_on_load"),
                );
            }
            self.focused = true;
        }
    }

    fn menu(&mut self, element: &Value, path: &str, optional: &[&str]) {
        let optional: Vec<&str> = optional
            .iter()
            .copied()
            .chain(["placeholder", "focus_on_load"])
            .collect();
        self.actionable(element, path, &[], &optional);
        self.placeholder(element, path);
    }

    fn placeholder(&mut self, element: &Value, path: &str) {
        let path = format!("{path}/placeholder");
        self.text(
            element.get("placeholder"),
            &path,
            TextKind::Plain,
            PLACEHOLDER_CHARS_MAX,
        );
    }

    fn button(&mut self, element: &Value, path: &str) {
        self.actionable(
            element,
            path,
            &["text"],
            &["url", "value", "style", "accessibility_label"],
        );
        self.text(
            element.get("text"),
            &format!("{path}/text"),
            TextKind::Plain,
            BUTTON_TEXT_CHARS_MAX,
        );
        self.string(
            element.get("value"),
            &format!("{path}/value"),
            0,
            BUTTON_VALUE_CHARS_MAX,
        );
        self.string(element.get("url"), &format!("{path}/url"), 0, URL_CHARS_MAX);
        let label_path = format!("{path}/accessibility_label");
        self.string(
            element.get("accessibility_label"),
            &label_path,
            0,
            BUTTON_TEXT_CHARS_MAX,
        );
        self.one_of(
            element.get("style"),
            &format!("{path}/style"),
            &["primary", "danger"],
        );
    }

    fn static_select(&mut self, element: &Value, path: &str) {
        let initial: &[&str] = if kind(element) == "static_select" {
            &["initial_option"]
        } else {
            &["initial_options", "max_selected_items"]
        };
        let optional: Vec<&str> = initial
            .iter()
            .copied()
            .chain(["options", "option_groups", "placeholder", "focus_on_load"])
            .collect();
        self.actionable(element, path, &[], &optional);
        self.placeholder(element, path);
        match (element.get("options"), element.get("option_groups")) {
            (Some(_), None) => self.options(element, path, SELECT_OPTIONS_MAX, TextKind::Plain),
            (None, Some(groups)) => {
                let path = format!("{path}/option_groups");
                for (index, group) in self
                    .list(Some(groups), &path, 1, SELECT_OPTIONS_MAX)
                    .iter()
                    .enumerate()
                {
                    let path = format!("{path}/{index}");
                    self.object(group, &path, &["label", "options"], &[]);
                    self.text(
                        group.get("label"),
                        &format!("{path}/label"),
                        TextKind::Plain,
                        BUTTON_TEXT_CHARS_MAX,
                    );
                    self.options(group, &path, SELECT_OPTIONS_MAX, TextKind::Plain);
                }
            }
            _ => self.refuse("exactly one of options and option_groups is required", path),
        }
    }

    /// `options`, and that what is chosen at the start is one of them.
    fn options(&mut self, element: &Value, path: &str, max: usize, kind: TextKind) {
        let options_path = format!("{path}/options");
        let options = self.list(element.get("options"), &options_path, 1, max);
        for (index, option) in options.iter().enumerate() {
            self.option(option, &format!("{options_path}/{index}"), kind);
        }
        let initial = element.get("initial_option").into_iter();
        let initials = element
            .get("initial_options")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        for chosen in initial.chain(initials) {
            if !options
                .iter()
                .any(|option| option.get("value") == chosen.get("value"))
            {
                self.refuse("the initial option is not one of the options", path);
            }
        }
    }

    fn plain_text_input(&mut self, element: &Value, path: &str) {
        if self.surface == Surface::Home && element.get("focus_on_load").is_some() {
            self.refuse("invalid additional property: focus_on_load", path);
        }
        self.menu(
            element,
            path,
            &[
                "initial_value",
                "multiline",
                "min_length",
                "max_length",
                "dispatch_action_config",
            ],
        );
        self.boolean(element.get("multiline"), &format!("{path}/multiline"));
        let mut bound = |key: &str, least: u64| {
            let value = element.get(key)?;
            let number = value
                .as_u64()
                .filter(|number| (least..=INPUT_CHARS_MAX).contains(number));
            if number.is_none() {
                self.refuse(
                    format!("must be a number from {least} to {INPUT_CHARS_MAX}"),
                    &format!("{path}/{key}"),
                );
            }
            number
        };
        let min = bound("min_length", 0);
        let max = bound("max_length", 1);
        if let (Some(min), Some(max)) = (min, max)
            && min > max
        {
            self.refuse("min_length must not be greater than max_length", path);
        }
        // A text that the person could not have typed would make the form impossible to open.
        let limit = usize::try_from(max.unwrap_or(INPUT_CHARS_MAX)).unwrap_or(usize::MAX);
        self.string(
            element.get("initial_value"),
            &format!("{path}/initial_value"),
            0,
            limit,
        );
    }
}
