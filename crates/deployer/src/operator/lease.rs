//! Leader election: of several operators, the one that holds the `Lease` works. As in Kubernetes' own programs, a
//! lease is free once its holder has not renewed it for its duration, by the clock of who wants it.

use std::time::{Duration, Instant};

use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use kube::{
    Api, Client,
    api::{ObjectMeta, PostParams},
};

use crate::kubernetes::ObjectName;

/// How long a holder that no longer renews is waited for.
const DURATION: Duration = Duration::from_secs(15);
/// How long a holder may fail to renew before it gives up: before others take over.
const DEADLINE: Duration = Duration::from_secs(10);
/// How often to try.
const TRY_EVERY: Duration = Duration::from_secs(3);

/// One that stands for election.
#[derive(Debug)]
pub struct Candidate {
    api: Api<Lease>,
    name: String,
    identity: String,
    /// The lease as it was last seen, and when it was first seen so.
    seen: Option<(LeaseSpec, Instant)>,
}

impl Candidate {
    /// Stands for the lease, by a name of its own.
    pub fn new(client: Client, lease: ObjectName, identity: String) -> Self {
        Self { api: Api::namespaced(client, &lease.namespace), name: lease.name, identity, seen: None }
    }

    /// Waits until this holds the lease.
    pub async fn win(&mut self) {
        loop {
            match self.attempt().await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => tracing::warn!(lease = self.name, %error, "cannot take the lease, and tries again"),
            }
            tokio::time::sleep(TRY_EVERY).await;
        }
    }

    /// Renews the lease until it is lost.
    pub async fn hold(&mut self) {
        let mut renewed = Instant::now();
        while renewed.elapsed() < DEADLINE {
            tokio::time::sleep(TRY_EVERY).await;
            match tokio::time::timeout(TRY_EVERY, self.attempt()).await {
                Ok(Ok(true)) => renewed = Instant::now(),
                Ok(Ok(false)) => return,
                Ok(Err(error)) => tracing::warn!(lease = self.name, %error, "cannot renew the lease"),
                Err(_elapsed) => tracing::warn!(lease = self.name, "renewing the lease takes too long"),
            }
        }
    }

    /// Gives the lease up, so that nobody has to wait for it. What fails is only waited for longer.
    pub async fn release(&self) {
        let Ok(Some(mut lease)) = self.api.get_opt(&self.name).await else { return };
        let holder = lease.spec.as_mut().filter(|spec| spec.holder_identity.as_ref() == Some(&self.identity));
        if let Some(spec) = holder {
            spec.holder_identity = None;
            if let Err(error) = self.api.replace(&self.name, &PostParams::default(), &lease).await {
                tracing::debug!(%error, "the lease was not released");
            }
        }
    }

    /// Takes or renews the lease, unless it is another's; gives whether this holds it.
    async fn attempt(&mut self) -> Result<bool, kube::Error> {
        let written = match self.api.get_opt(&self.name).await? {
            None => {
                let metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
                let lease = Lease { metadata, spec: Some(taken(&LeaseSpec::default(), &self.identity, now())) };
                self.api.create(&PostParams::default(), &lease).await
            }
            Some(mut lease) => {
                let spec = lease.spec.take().unwrap_or_default();
                if !self.may_take(&spec, Instant::now()) {
                    return Ok(false);
                }
                lease.spec = Some(taken(&spec, &self.identity, now()));
                self.api.replace(&self.name, &PostParams::default(), &lease).await
            }
        };
        match written {
            // Another was faster.
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
            result => result.map(|_| true),
        }
    }

    fn may_take(&mut self, spec: &LeaseSpec, now: Instant) -> bool {
        let holder = spec.holder_identity.as_deref().unwrap_or_default();
        if holder.is_empty() || holder == self.identity {
            return true;
        }
        match &self.seen {
            Some((seen, since)) if seen == spec => {
                let duration = u64::try_from(spec.lease_duration_seconds.unwrap_or(0)).unwrap_or(0);
                now.duration_since(*since) > Duration::from_secs(duration)
            }
            _ => {
                self.seen = Some((spec.clone(), now));
                false
            }
        }
    }
}

fn now() -> MicroTime {
    MicroTime(jiff::Timestamp::now())
}

/// The lease once `identity` has it.
fn taken(before: &LeaseSpec, identity: &str, now: MicroTime) -> LeaseSpec {
    let is_new = before.holder_identity.as_deref() != Some(identity);
    LeaseSpec {
        holder_identity: Some(identity.to_owned()),
        lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
        acquire_time: if is_new { Some(now.clone()) } else { before.acquire_time.clone() },
        renew_time: Some(now),
        lease_transitions: Some(before.lease_transitions.unwrap_or(0) + i32::from(is_new)),
        ..before.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate() -> Candidate {
        let config = kube::Config::new("http://127.0.0.1:1".parse().unwrap());
        Candidate::new(Client::try_from(config).unwrap(), "a/provost".parse().unwrap(), "me".to_owned())
    }

    fn held_by(holder: &str, second: i64) -> LeaseSpec {
        let time = MicroTime(jiff::Timestamp::from_second(second).unwrap());
        taken(&LeaseSpec::default(), holder, time)
    }

    #[tokio::test]
    async fn a_lease_is_anothers_until_it_was_not_renewed_for_its_duration() {
        let (mut candidate, start) = (candidate(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert!(!candidate.may_take(&held_by("other", 1), start));
        assert!(!candidate.may_take(&held_by("other", 1), after(14)));
        assert!(!candidate.may_take(&held_by("other", 2), after(16)), "it was renewed");
        assert!(!candidate.may_take(&held_by("other", 2), after(30)));
        assert!(candidate.may_take(&held_by("other", 2), after(32)));
    }

    #[tokio::test]
    async fn ones_own_and_one_given_up_are_taken_at_once() {
        let mut candidate = candidate();
        assert!(candidate.may_take(&held_by("me", 1), Instant::now()));
        assert!(candidate.may_take(&LeaseSpec::default(), Instant::now()));
    }

    #[test]
    fn a_change_of_holders_is_counted() {
        let first = held_by("other", 1);
        let time = |second| MicroTime(jiff::Timestamp::from_second(second).unwrap());
        let renewed = taken(&first, "other", time(2));
        assert_eq!((renewed.lease_transitions, renewed.acquire_time.clone()), (Some(1), Some(time(1))));
        let second = taken(&renewed, "me", time(3));
        assert_eq!((second.lease_transitions, second.acquire_time), (Some(2), Some(time(3))));
    }
}
