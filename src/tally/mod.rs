//! What a load run measured: counts, exact mergeable histograms, violations. Knows no clock and no socket.
//!
//! A shard fills a [`Slice`] and hands it over each second; slices add up to [`Totals`], which is what thresholds are
//! judged by. All times are kept in microseconds, in histograms of three significant digits whose encoded forms merge
//! without loss (HdrHistogram V2).

mod checked;
mod compare;
mod figures;
mod judge;
mod record;
mod search;
mod slice;
mod violation;

pub use checked::{CheckRun, CheckedCase, REPEATS, RedCase, UnderLoad, When};
pub use compare::{LoadComparison, Row, Tolerance, Tolerances, Tolerated, compare};
pub use figures::{LatencySummary, Spread, Totals};
pub use judge::{Finished, generator_limits};
pub use record::{
    Began, Ended, Ending, FORMAT, LoadEvent, LoadRecord, LoadRecordError, Machine, RECORD_BEGINS, Second,
    SeriesLine, Spent, Told, Verdict, read,
};
pub use search::Search;
pub use slice::{Counters, End, Latency, Slice, count, record};
pub use violation::{Kind, Transcript, Violations};
