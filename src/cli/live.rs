//! Takes the events of a run: writes the record, shows findings when they are known, keeps the moving line moving.

use std::io::Write;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::console::Console;
use crate::event::Event;
use crate::record::RunRecord;
use crate::report::terminal::{finding, header};

/// How often the moving line is looked at.
const TICK: Duration = Duration::from_millis(200);

/// Reads events until the run is over; gives everything folded, and what went wrong with the record's file.
pub(super) async fn follow(
    console: &Console,
    mut events: mpsc::Receiver<Event>,
    mut file: Option<std::fs::File>,
) -> (RunRecord, Option<std::io::Error>) {
    let start = Instant::now();
    let mut record = RunRecord::default();
    let mut trouble = None;
    let mut progress = None;
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            event = events.recv() => {
                let Some(event) = event else { break };
                if let Some(open) = &mut file
                    && let Err(error) = write(open, &event)
                {
                    trouble = Some(error);
                    file = None;
                }
                if let Event::Began(began) = &event {
                    console.out(&header(began, console.style()));
                    progress = Some(console.progress());
                }
                if let Some(progress) = &mut progress {
                    progress.fold(&event);
                }
                let judged = matches!(event, Event::Judged(_));
                record.fold(event);
                if judged && let Some(case) = record.cases.last() {
                    console.out(&finding(case, &record, console.style()));
                }
            }
            _ = tick.tick() => {
                if let Some(progress) = &mut progress {
                    progress.draw(start.elapsed());
                }
            }
        }
    }
    (record, trouble)
}

/// One event is one line; what is only for the live view is not written.
fn write(file: &mut std::fs::File, event: &Event) -> std::io::Result<()> {
    if matches!(event, Event::Waiting(_)) {
        return Ok(());
    }
    let mut line = serde_json::to_vec(event)?;
    line.push(b'\n');
    file.write_all(&line)
}
