//! The features of an event, and the numbers behind them.

/// Features of an event.
pub(crate) const FEATURES: usize = 16;
/// Steps of a feature's value in 1.
pub(crate) const STEPS: f32 = 16.0;

/// The features of an event, each 16 times its value.
pub(crate) type Row = [u8; FEATURES];

/// The columns of a [`Row`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Feature {
    /// First of its template at its source.
    NewTemplate,
    /// How small a part of the source's events the template is.
    RareTemplate,
    NewSource,
    NewHost,
    /// Another level than the template's usual one.
    TemplateLevel,
    /// Few events of this source are so severe.
    SourceLevel,
    /// The level itself, trace 0 to fatal 5, halved.
    Severity,
    TemplateSpike,
    SourceSpike,
    /// The template was silent for longer than usual.
    TemplateGap,
    SourceGap,
    /// Message longer or shorter than the template's usually is.
    Length,
    /// A number outside the range of its place.
    Number,
    /// A value that is new at its place, or an address that failed often before it succeeded.
    Value,
    /// An hour of the day at which the source is seldom active.
    Hour,
    Weekday,
}

impl Feature {
    /// All of them, by their columns.
    pub(crate) const ALL: [Self; FEATURES] = [
        Self::NewTemplate,
        Self::RareTemplate,
        Self::NewSource,
        Self::NewHost,
        Self::TemplateLevel,
        Self::SourceLevel,
        Self::Severity,
        Self::TemplateSpike,
        Self::SourceSpike,
        Self::TemplateGap,
        Self::SourceGap,
        Self::Length,
        Self::Number,
        Self::Value,
        Self::Hour,
        Self::Weekday,
    ];
}

/// What a source's count is of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Counted {
    #[default]
    Events,
    /// Events of level error or above.
    Errors,
    /// Addresses that came anew.
    Addresses,
}

/// Numbers behind the features, for explaining.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Facts {
    pub(crate) group_count: u32,
    pub(crate) source_count: u32,
    pub(crate) usual_level: u8,
    pub(crate) template_count: u32,
    pub(crate) template_mean: f32,
    pub(crate) source_minute_count: u32,
    pub(crate) source_mean: f32,
    /// Minutes that the counts and means above are of: 1 or 15.
    pub(crate) template_minutes: u8,
    pub(crate) source_minutes: u8,
    /// What the count of the source is of.
    pub(crate) source_counted: Counted,
    /// Events of the source in the last two hours and usually, where these are strangely few.
    pub(crate) quiet_count: f32,
    pub(crate) quiet_usual: f32,
    pub(crate) gap_s: f32,
    pub(crate) usual_gap_s: f32,
    pub(crate) source_gap_s: f32,
    pub(crate) source_usual_gap_s: f32,
    pub(crate) length: u32,
    pub(crate) usual_length: f32,
    /// Which variable of the message holds the odd number, and the range seen before.
    pub(crate) number_at: u8,
    pub(crate) number: f32,
    pub(crate) low: f32,
    pub(crate) high: f32,
    /// Which variable of the message holds the new value, among how many seen.
    pub(crate) value_at: u8,
    pub(crate) values_seen: u32,
    /// How often the address failed before it succeeded now, and usually, and whether that tells more than
    /// that the address is new here.
    pub(crate) failures: u32,
    pub(crate) usual_failures: f32,
    pub(crate) failures_tell: bool,
    pub(crate) hour_active: u8,
    pub(crate) days: u8,
}
