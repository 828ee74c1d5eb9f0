//! The sandbox's page in a real browser, driven as a person would: clicks and keys go in, what is
//! visible is asserted. Scripts run only to measure (widths, contrast, accessibility), never to call
//! the page's own functions.
//!
//! When a story fails, `target/page/NAME.png` and `NAME.txt` keep what the page looked like and what its
//! console said.

mod app;
mod bots_forms;
mod browser;
mod drawing;
mod driver;
mod failing;
mod first_minutes;
mod forms;
mod house;
mod keyboard;
mod looks;
mod odd_text;
mod rehearsal;
mod safety;
mod webdriver;
