//! What a server of any role opens: its data directory, its port, and the threads that answer there.

use std::{net::TcpListener, path::Path, sync::Arc};

use provost_service_kit::{
    access::Rules,
    listener::{self, Handle},
    supervise::Shutdown,
};

use super::{
    bind,
    config::Config,
    data_dir::DataDir,
    listener_options, open_tls,
    thread::{DataPlane, Routers, ServeThread},
    views::View,
};

/// A data directory and a port that this process holds.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) data_dir: DataDir,
    socket: TcpListener,
}

impl Door {
    /// Takes both, or tells who has them.
    pub(super) fn take(data_dir: &Path, config: &Config) -> anyhow::Result<Self> {
        Ok(Self { data_dir: DataDir::open(data_dir)?, socket: bind(config.server.listen)? })
    }

    /// Answers from now on, and tells where. The directory is held as long as it is kept.
    pub(super) fn open(
        self,
        config: &Config,
        stopped: &Shutdown,
        rules: Rules,
        (routers, view): (Routers, View),
        data_plane: impl Fn() -> DataPlane + Send + Sync + 'static,
    ) -> anyhow::Result<(Handle, DataDir)> {
        let tls = open_tls(config, stopped)?;
        let (rules, is_tls, body_timeout) = (Arc::new(rules), tls.is_some(), config.gateway.body_timeout.0);
        let handle = listener::serve(self.socket, &listener_options(config), tls, move || {
            let parts = (routers.clone(), view.clone());
            ServeThread::new(data_plane(), parts, Arc::clone(&rules), (is_tls, body_timeout))
        })?;
        let url = format!("{}://{}", if is_tls { "https" } else { "http" }, handle.address());
        self.data_dir.announce(&url)?;
        println!("provost listens on {url}");
        Ok((handle, self.data_dir))
    }
}
