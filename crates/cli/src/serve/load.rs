//! For how long requests were being answered: looked at ten times a second, once somebody asks.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use provost_gateway::Gateway;

/// How often is looked.
const EVERY: Duration = Duration::from_millis(100);

/// The seconds that requests took, those at once counted each.
#[derive(Debug, Default)]
pub(super) struct LoadMeter(OnceLock<Arc<AtomicU64>>);

impl LoadMeter {
    /// Since it was first asked for.
    pub(super) fn busy_seconds(&self, gateway: &Gateway) -> f64 {
        let looks = self.0.get_or_init(|| {
            let looks = Arc::<AtomicU64>::default();
            tokio::spawn(look(gateway.clone(), Arc::clone(&looks)));
            looks
        });
        // Exact up to 2⁵³ looks.
        #[expect(clippy::cast_precision_loss)]
        let looks = looks.load(Ordering::Relaxed) as f64;
        looks * EVERY.as_secs_f64()
    }
}

/// Adds the requests in flight at every look. Never ends.
async fn look(gateway: Gateway, sum: Arc<AtomicU64>) {
    let mut ticks = tokio::time::interval(EVERY);
    // Looks that were missed are made up for, so that their number tells the time.
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    loop {
        ticks.tick().await;
        let in_flight = u64::try_from(gateway.in_flight()).unwrap_or(u64::MAX);
        sum.fetch_add(in_flight, Ordering::Relaxed);
    }
}
