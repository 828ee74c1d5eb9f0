//! What security is told of the record itself.

use super::super::text::{Message, Part, Text};
use crate::domain::record_news::RecordNews;

/// The words of the news.
pub(super) fn record_news(news: &RecordNews) -> Message {
    match news {
        RecordNews::KeptShorter {
            was_days,
            days,
            not_before,
        } => {
            let was = was_days.map_or_else(|| "for ever".to_owned(), |days| format!("for {days} days"));
            Message::titled("🗑️ The record is kept for less time")
                .with(Part::Line(
                    Text::of(format!(
                        "From here on it is kept for {days} days; it was kept {was}. What is older goes for good, some days of it a day, from "
                    ))
                    .moment(*not_before)
                    .plain(" on. Digests say how much went."),
                ))
                .with(Part::Aside(
                    Text::of("If none of you wanted that, look into it now, and have whoever runs jitbot change ")
                        .code("[store] keep")
                        .plain(" back before then."),
                ))
        }
        RecordNews::DoesNotFit { said } => {
            Message::titled("⚠️ The record is not as it was made")
                .with(Part::Line(Text::of("Old entries should go, but what is there does not fit together:")))
                .with(Part::Quote(said.clone()))
                .with(Part::Line(Text::of(
                    "Nothing of it is removed any more, for that would hide it. All else goes on.",
                )))
                .with(Part::Aside(
                    Text::of("Whoever can write the database may have changed the past, or a disk failed. Keep a copy of the database as it is, and check it: ")
                        .code("jitbot audit verify --db <database>"),
                ))
        }
    }
}
