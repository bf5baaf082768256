//! What can be recorded. Signals and processes will have theirs here too.

use serde::Serialize;

/// Declares the actions with the names under which they are recorded.
macro_rules! actions {
    ($($(#[doc = $help:literal])+ $name:ident = $dotted:literal,)+) => {
        /// What was done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
        #[non_exhaustive]
        pub enum Action {
            $($(#[doc = $help])+ #[serde(rename = $dotted)] $name,)+
        }

        impl Action {
            /// All that there are.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Its name: what it was done to, a dot, what was done.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $dotted,)+ }
            }
        }
    };
}

actions! {
    /// The record was opened, with each start of the program.
    AuditOpened = "audit.opened",
    /// A key was made.
    KeyCreated = "key.created",
    /// A key was taken back.
    KeyRevoked = "key.revoked",
    /// A key was used to send something: how often since it was last told.
    KeyUsed = "key.used",
    /// Wrong keys or tokens were sent: how often since it was last told.
    KeyRefused = "key.refused",
    /// Somebody signed in with a browser.
    SessionOpened = "session.opened",
    /// Somebody signed out.
    SessionClosed = "session.closed",
    /// An agent was announced, and got a token for its enrolment.
    AgentAdded = "agent.added",
    /// An agent got its key and certificate.
    AgentEnrolled = "agent.enrolled",
    /// An agent got a new key or certificate.
    AgentRotated = "agent.rotated",
    /// An agent's key and certificate were taken back.
    AgentRevoked = "agent.revoked",
    /// Settings differ from those of the run before.
    SettingsChanged = "settings.changed",
    /// A model was trained.
    ModelTrained = "model.trained",
    /// A training was told to end.
    TrainingCancelled = "training.cancelled",
    /// Another model serves.
    ModelActivated = "model.activated",
    /// The model before serves again.
    ModelRolledBack = "model.rolled_back",
    /// A model was taken in from elsewhere.
    ModelImported = "model.imported",
    /// A starter was taken in, and a model made of it.
    StarterTaken = "starter.taken",
    /// Somebody said what an event was.
    FeedbackGiven = "feedback.given",
    /// What somebody said of an event was taken back.
    FeedbackWithdrawn = "feedback.withdrawn",
    /// A template was named, pinned, split or merged, or that was undone.
    TemplateChanged = "template.changed",
    /// Events older than the retention were deleted.
    IndexExpired = "index.expired",
    /// Dead letters were taken in again.
    DeadLetterReplayed = "dead_letter.replayed",
    /// Dead letters were deleted.
    DeadLetterDropped = "dead_letter.dropped",
    /// Somebody has an alert.
    AlertAcknowledged = "alert.acknowledged",
    /// What is to be watched on a host was set.
    HostConfigured = "host.configured",
    /// A host was removed with all that was measured on it.
    HostRemoved = "host.removed",
    /// Thresholds were set for a group of hosts.
    HostGroupConfigured = "host_group.configured",
    /// What was set for a group of hosts was removed.
    HostGroupRemoved = "host_group.removed",
    /// Somebody has a signal.
    SignalAcknowledged = "signal.acknowledged",
    /// A signal is over.
    SignalResolved = "signal.resolved",
    /// A signal is not over.
    SignalReopened = "signal.reopened",
    /// Nobody is told of a signal for a while.
    SignalSnoozed = "signal.snoozed",
    /// Somebody is to look after a signal.
    SignalAssigned = "signal.assigned",
    /// Something was noted of a signal.
    SignalNoted = "signal.noted",
    /// Somebody said what a signal was.
    SignalLabelled = "signal.labelled",
    /// Nobody is told of some signals any more.
    SignalsSuppressed = "signals.suppressed",
    /// People are told of some signals again.
    SuppressionRemoved = "suppression.removed",
    /// Files of rules were to be read again.
    RulesReloaded = "rules.reloaded",
    /// A file of rules was written.
    RuleWritten = "rule.written",
    /// A file of rules was removed.
    RuleRemoved = "rule.removed",
    /// A file of rules holds again what it held before.
    RuleRolledBack = "rule.rolled_back",
    /// A channel was set up.
    ChannelMade = "channel.made",
    /// A channel was set up anew.
    ChannelChanged = "channel.changed",
    /// A channel was taken away.
    ChannelRemoved = "channel.removed",
    /// A test was sent over a channel.
    ChannelTested = "channel.tested",
    /// Nobody is told of some alerts for a while.
    SilenceMade = "silence.made",
    /// People are told of them again.
    SilenceEnded = "silence.ended",
}
