//! Hosts that send samples.

use std::sync::Arc;

use fleet::{Fleet, Keeper};

use super::{alerts::Kept, build::Build, detection, error::StartError, own_processes};

/// The file of what was measured on hosts.
const METRICS: &str = "metrics.db";

/// Opens what is kept of hosts, runs what stands beside it, and gives what its routes need.
pub(super) fn start(build: &Build<'_>, kept: &Kept) -> Result<api::HostsState, StartError> {
    let settings = &build.settings.hosts;
    let database = state::Database::open(build.settings.data.join(METRICS)).map_err(Box::new)?;
    let fleet = Fleet::open(database, settings.fleet.clone(), intake::system_clock()).map_err(Box::new)?;
    let fleet = Arc::new(fleet);
    let keeper = Keeper {
        fleet: Arc::clone(&fleet),
        signals: Arc::clone(&kept.signals),
        beside: detection::beside(&kept.outbox),
        clock: intake::system_clock,
        health: build.health.component("hosts"),
    };
    if build.settings.intake.system {
        own_processes::watch(build, &fleet)?;
    }
    build.back.thread("hosts", move |stop| keeper.run(&stop)).map_err(StartError::Thread)?;
    Ok(api::HostsState {
        fleet,
        signals: Arc::clone(&kept.signals),
        access: Arc::clone(&build.entrance.who),
        limits: settings.limits,
        body: build.settings.intake.body.clone(),
        stop: build.front.stop(),
    })
}
