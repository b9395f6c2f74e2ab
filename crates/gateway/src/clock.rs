//! The time of day, for records.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use provost_inference::record::Timestamp;

/// Tells the time of day of a moment. The system's clock is read once a second: reading one clock for a
/// request is cheaper than reading two.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WallClock {
    moment: Instant,
    time: Timestamp,
}

impl WallClock {
    /// Reads the system's clock.
    pub(crate) fn read() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { moment: Instant::now(), time: Timestamp(i64::try_from(since_epoch.as_nanos()).unwrap_or(i64::MAX)) }
    }

    /// The time of day at `moment`. It may step; sequence numbers order the log.
    pub(crate) fn at(&self, moment: Instant) -> Timestamp {
        let since = i64::try_from(moment.saturating_duration_since(self.moment).as_nanos()).unwrap_or(i64::MAX);
        Timestamp(self.time.0.saturating_add(since))
    }
}
