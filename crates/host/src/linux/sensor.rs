//! Temperatures (Documentation/hwmon/sysfs-interface.rst and thermal/sysfs-api.rst of the kernel).

use std::{fs, path::Path};

use super::{
    kernel::Kernel,
    number::{decimal, text},
};
use crate::reading::Temperature;

/// More sensors are left out.
const SENSORS_MAX: usize = 64;

/// All sensors; the zones of the firmware only where no chip says anything.
pub(crate) fn read(kernel: &mut Kernel) -> Vec<Temperature> {
    let sys = kernel.roots().sys.clone();
    let mut found = vec![];
    for chip in folders(&sys.join("class/hwmon"), "hwmon") {
        let name = line(kernel, &chip.join("name")).unwrap_or_default();
        for input in names(&chip).filter(|name| name.starts_with("temp") && name.ends_with("_input")) {
            let number = input.trim_end_matches("_input").to_owned();
            let label = line(kernel, &chip.join(format!("{number}_label"))).unwrap_or(number);
            found.extend(celsius(kernel, &chip.join(&input), format!("{name} {label}")));
        }
    }
    if found.is_empty() {
        for zone in folders(&sys.join("class/thermal"), "thermal_zone") {
            let name = line(kernel, &zone.join("type")).unwrap_or_default();
            found.extend(celsius(kernel, &zone.join("temp"), name));
        }
    }
    found.sort_by(|a, b| a.sensor.cmp(&b.sensor));
    found.dedup_by(|a, b| a.sensor == b.sensor);
    found.truncate(SENSORS_MAX);
    found
}

/// Sensors give thousandths. One that is not connected says what no machine is.
fn celsius(kernel: &mut Kernel, path: &Path, sensor: String) -> Option<Temperature> {
    let celsius = decimal(line(kernel, path)?.as_bytes())? / 1000.0;
    (-100.0..=250.0).contains(&celsius).then_some(Temperature { sensor, celsius })
}

fn line(kernel: &mut Kernel, path: &Path) -> Option<String> {
    kernel.file(path).ok().map(text)
}

fn names(folder: &Path) -> impl Iterator<Item = String> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).take(1024)
}

fn folders(folder: &Path, prefix: &'static str) -> impl Iterator<Item = std::path::PathBuf> + use<> {
    let folder = folder.to_owned();
    names(&folder)
        .filter(move |name| name.starts_with(prefix))
        .map(move |name| folder.join(name))
        .take(SENSORS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Roots;

    #[test]
    fn chips_are_read_and_what_is_not_connected_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put("class/thermal/thermal_zone0/type", "acpitz\n");
        put("class/thermal/thermal_zone0/temp", "41500\n");
        let mut kernel = Kernel::new(Roots { sys: dir.path().to_owned(), ..Roots::default() });
        assert_eq!(read(&mut kernel), [Temperature { sensor: "acpitz".into(), celsius: 41.5 }]);
        put("class/hwmon/hwmon0/name", "coretemp\n");
        put("class/hwmon/hwmon0/temp2_input", "55000\n");
        put("class/hwmon/hwmon0/temp2_label", "Core 0\n");
        put("class/hwmon/hwmon0/temp3_input", "-274000\n");
        assert_eq!(read(&mut kernel), [Temperature { sensor: "coretemp Core 0".into(), celsius: 55.0 }]);
    }
}
