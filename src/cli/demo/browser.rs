//! Opening the page in the person's browser, where there is one.

use std::io::IsTerminal as _;

/// Opens it if somebody sits at a desktop here. That it can't be opened is told, and is no error: the
/// address stands right above.
pub fn open(page: &str) {
    if !(std::io::stdout().is_terminal() && has_display(&|name| std::env::var_os(name).is_some())) {
        return;
    }
    if let Err(error) = open::that_detached(page) {
        println!("No browser could be opened ({error}); open the page's address yourself.");
    }
}

/// Whether windows can be shown; not over a plain ssh connection.
fn has_display(set: &dyn Fn(&str) -> bool) -> bool {
    cfg!(target_os = "macos") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_display_of_either_kind_will_do() {
        assert!(has_display(&|name| name == "DISPLAY"));
        assert!(has_display(&|name| name == "WAYLAND_DISPLAY"));
        assert!(cfg!(target_os = "macos") || !has_display(&|name| name == "TERM"));
    }
}
