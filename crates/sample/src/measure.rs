//! Numbers with a name and a unit.

use serde::{Deserialize, Serialize};

/// In what something is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Unit {
    /// Of the whole, from 0 to 100.
    #[serde(rename = "%")]
    Percent,
    /// Of one core: four busy cores are 400.
    #[serde(rename = "% of a core")]
    PercentOfCore,
    /// Bytes.
    #[serde(rename = "B")]
    Bytes,
    /// Bytes a second.
    #[serde(rename = "B/s")]
    BytesPerSecond,
    /// 1024 bytes a second.
    #[serde(rename = "KB/s")]
    KilobytesPerSecond,
    /// How many a second.
    #[serde(rename = "1/s")]
    PerSecond,
    /// How many; also a load average.
    #[serde(rename = "1")]
    Count,
    /// Seconds, never negative.
    #[serde(rename = "s")]
    Seconds,
    /// Seconds before (negative) or after.
    #[serde(rename = "±s")]
    Offset,
    /// Degrees Celsius.
    #[serde(rename = "°C")]
    Celsius,
    /// Yes (1) or no (0).
    #[serde(rename = "yes/no")]
    Flag,
    /// Not known here: the name is of the sender's own making.
    #[serde(rename = "")]
    Unknown,
}

impl Unit {
    /// How it is written beside a number.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Percent => "%",
            Self::PercentOfCore => "% of a core",
            Self::Bytes => "B",
            Self::BytesPerSecond => "B/s",
            Self::KilobytesPerSecond => "KB/s",
            Self::PerSecond => "1/s",
            Self::Count => "1",
            Self::Seconds => "s",
            Self::Offset => "±s",
            Self::Celsius => "°C",
            Self::Flag => "yes/no",
            Self::Unknown => "",
        }
    }

    /// Why a number cannot be of this unit.
    pub(crate) fn refuses(self, number: f64) -> Option<&'static str> {
        let is_signed = matches!(self, Self::Celsius | Self::Offset | Self::Unknown);
        match self {
            _ if !number.is_finite() => Some("must be a finite number"),
            Self::Percent if !(0.0..=100.0).contains(&number) => Some("must be from 0 to 100"),
            Self::Flag if number != 0.0 && number != 1.0 => Some("must be true or false"),
            _ if !is_signed && number < 0.0 => Some("must not be negative"),
            _ => None,
        }
    }
}

/// How the numbers of a series are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// As it stands at that moment.
    Gauge,
    /// Counted up since the host or its counter began.
    Counter,
}

/// A group of numbers by name; None where a number is not known.
pub trait Measures: Default {
    /// Calls back with each number that is known, in the order of the documentation.
    fn each(&self, visit: &mut dyn FnMut(&'static str, Unit, Kind, f64));

    /// The place of the number of this name, and its unit.
    fn slot(&mut self, name: &str) -> Option<(&mut Option<f64>, Unit)>;

    /// Unit and kind of the number of this name.
    fn unit(name: &str) -> Option<(Unit, Kind)>;
}

/// Makes a group: a struct of optional numbers, written with whole numbers as such and flags as true and false.
macro_rules! measures {
    ($($(#[$about:meta])* $group:ident { $($(#[$says:meta])* $name:ident: $unit:ident $kind:ident,)+ })+) => {
        $(
            $(#[$about])*
            #[derive(Debug, Clone, Copy, Default, PartialEq)]
            pub struct $group {
                $($(#[$says])* pub $name: Option<f64>,)+
            }

            impl $crate::measure::Measures for $group {
                fn each(&self, visit: &mut dyn FnMut(&'static str, Unit, Kind, f64)) {
                    $(if let Some(number) = self.$name {
                        visit(stringify!($name), Unit::$unit, Kind::$kind, number);
                    })+
                }

                fn slot(&mut self, name: &str) -> Option<(&mut Option<f64>, Unit)> {
                    match name {
                        $(stringify!($name) => Some((&mut self.$name, Unit::$unit)),)+
                        _ => None,
                    }
                }

                fn unit(name: &str) -> Option<(Unit, Kind)> {
                    match name {
                        $(stringify!($name) => Some((Unit::$unit, Kind::$kind)),)+
                        _ => None,
                    }
                }
            }

            impl serde::Serialize for $group {
                fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    $crate::measure::write(self, serializer)
                }
            }
        )+
    };
}
pub(crate) use measures;

/// Writes a group as a JSON object of what is known.
pub(crate) fn write<M: Measures, S: serde::Serializer>(
    measures: &M,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    use serde::ser::SerializeMap;
    let mut map = serializer.serialize_map(None)?;
    let mut failed = None;
    measures.each(&mut |name, unit, _, number| {
        if failed.is_none() {
            let written = match unit {
                Unit::Flag => map.serialize_entry(name, &(number != 0.0)),
                _ => map.serialize_entry(name, &Number(number)),
            };
            failed = written.err();
        }
    });
    failed.map_or_else(|| map.end(), Err)
}

/// A number that is written without a fraction where it has none.
#[derive(Clone, Copy)]
pub(crate) struct Number(pub(crate) f64);

/// Whole numbers up to here are exact.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

impl Serialize for Number {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.fract() == 0.0 && self.0.abs() <= EXACT_MAX {
            serializer.serialize_i64(self.0 as i64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

/// Numbers by name, for serde.
pub(crate) fn numbers<S: serde::Serializer>(
    numbers: &std::collections::BTreeMap<String, f64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(numbers.iter().map(|(name, number)| (name, Number(*number))))
}

/// Numbers in a row, for serde.
pub(crate) fn row<S: serde::Serializer>(numbers: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(numbers.iter().map(|number| Number(*number)))
}

/// One number that may not be known, for serde.
pub(crate) fn one<S: serde::Serializer>(number: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    number.map(Number).serialize(serializer)
}
