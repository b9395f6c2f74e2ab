//! Long-lived tasks: a panic is logged and the task started again, later each time.

use std::time::Duration;

use tokio::{sync::watch, task::JoinHandle};

/// First pause before a task is started again.
const PAUSE_MIN: Duration = Duration::from_millis(100);
/// Longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// A task that ran this long is thought well again.
const WELL_AFTER: Duration = Duration::from_secs(60);

/// The signal by which tasks learn that the server stops.
#[derive(Debug, Clone)]
pub struct Shutdown(watch::Receiver<bool>);

/// Sends the signal.
#[derive(Debug)]
pub struct ShutdownSender(watch::Sender<bool>);

impl ShutdownSender {
    /// Tells all tasks to stop.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

/// A signal that was not sent yet, and its sender.
pub fn shutdown() -> (ShutdownSender, Shutdown) {
    let (sender, receiver) = watch::channel(false);
    (ShutdownSender(sender), Shutdown(receiver))
}

impl Shutdown {
    /// Waits until the server stops.
    pub async fn stopped(&mut self) {
        // A sender that is gone means the same.
        let _gone = self.0.wait_for(|stopped| *stopped).await.is_err();
    }
}

/// Runs `task` until it ends by itself or the server stops. A panic is logged and the task started
/// again after a pause that doubles up to half a minute.
pub fn supervise<F, T>(name: &'static str, mut shutdown: Shutdown, mut task: T) -> JoinHandle<()>
where
    T: FnMut() -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    tokio::spawn(async move {
        let mut pause = PAUSE_MIN;
        loop {
            let started = tokio::time::Instant::now();
            let mut running = tokio::spawn(task());
            let ended = tokio::select! {
                ended = &mut running => ended,
                () = shutdown.stopped() => {
                    running.abort();
                    return;
                }
            };
            match ended {
                Ok(()) => return,
                Err(error) => tracing::error!(task = name, %error, ?pause, "a task failed and is started again"),
            }
            pause = if started.elapsed() > WELL_AFTER { PAUSE_MIN } else { pause };
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_is_started_again() {
        let (_sender, signal) = shutdown();
        let starts = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&starts);
        let task = supervise("test", signal, move || {
            let start = counted.fetch_add(1, Ordering::SeqCst);
            async move { assert!(start >= 3, "a fault") }
        });
        task.await.unwrap();
        assert_eq!(starts.load(Ordering::SeqCst), 4);
    }

    #[tokio::test]
    async fn a_task_ends_when_the_server_stops() {
        let (sender, signal) = shutdown();
        let task = supervise("test", signal, std::future::pending);
        sender.stop();
        task.await.unwrap();
    }
}
