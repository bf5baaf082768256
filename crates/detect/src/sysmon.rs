//! How much weighs what Sysmon tells of the programs of a Windows machine. All of it is telemetry; what attackers do with
//! the programs that every machine has ([LOLBAS](https://lolbas-project.github.io)) is not.

use event::{Event, Value};

/// Programs that run what others wrote: scripts, libraries, commands.
const HOSTS: &[&str] = &[
    "powershell.exe",
    "pwsh.exe",
    "cmd.exe",
    "wscript.exe",
    "cscript.exe",
    "mshta.exe",
    "rundll32.exe",
    "regsvr32.exe",
    "msbuild.exe",
    "installutil.exe",
    "verclsid.exe",
    "wmic.exe",
    "wmiprvse.exe",
    "certutil.exe",
    "bitsadmin.exe",
    "curl.exe",
];
/// Programs of the machine's keepers, of which attackers make use too.
const TOOLS: &[&str] =
    &["reg.exe", "net.exe", "net1.exe", "sc.exe", "schtasks.exe", "whoami.exe", "nltest.exe", "tasklist.exe"];
const OFFICE: &[&str] =
    &["winword.exe", "excel.exe", "powerpnt.exe", "outlook.exe", "msaccess.exe", "onenote.exe"];
/// Endings of files that run.
const RUNNABLE: &[&str] = &[".exe", ".dll", ".scr", ".com", ".bat", ".ps1", ".vbs", ".js", ".hta", ".lnk"];
/// Places that everybody may write to, and where nothing is installed.
const OPEN_PLACES: &[&str] = &[
    "\\users\\public\\",
    "\\appdata\\local\\",
    "\\temp\\",
    "\\downloads\\",
    "\\start menu\\programs\\startup\\",
];
/// Words of commands that take defences away, hide, fetch or steal.
const COMMANDS: &[&str] = &[
    "set-mppreference",
    "-encodedcommand",
    " -enc ",
    " -e jab",
    "-window hidden",
    "-windowstyle hidden",
    "downloadstring",
    "downloadfile",
    "invoke-expression",
    "frombase64string",
    "-urlcache",
    "/transfer ",
    "vbscript:",
    "javascript:",
    "harddiskvolumeshadowcopy",
    "delete shadows",
    "\\config\\sam",
    "sekurlsa",
    " use \\\\",
    ": https://",
];

/// What an event of Sysmon says, in lower case, as far as it weighs.
#[derive(Debug, Default)]
struct Said {
    image: String,
    parent: String,
    command: String,
    target: String,
    registry: String,
}

/// The weight of an event of Sysmon; None for any other.
pub(crate) fn weight(event: &Event<'_>) -> Option<u8> {
    let is_sysmon = event.fields.iter().any(|each| {
        let name = last(&each.path);
        (name.eq_ignore_ascii_case("channel") || name.eq_ignore_ascii_case("provider"))
            && each.value.as_str().is_some_and(|value| value.starts_with("Microsoft-Windows-Sysmon"))
    });
    is_sysmon.then(|| Said::of(event).weight())
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

impl Said {
    fn of(event: &Event<'_>) -> Self {
        let mut said = Self::default();
        for each in &event.fields {
            let Value::String(text) = &each.value else { continue };
            let text = || text.to_ascii_lowercase().replace("\\\\", "\\");
            match last(&each.path).to_ascii_lowercase().as_str() {
                "image" | "sourceimage" => said.image = text(),
                "parentimage" => said.parent = text(),
                "commandline" => said.command = text(),
                "targetfilename" | "targetimage" | "imageloaded" => said.target = text(),
                "targetobject" => said.registry = text(),
                _ => {}
            }
        }
        said
    }

    fn weight(&self) -> u8 {
        if self.is_grave() {
            12
        } else if [&self.image, &self.parent].iter().any(|path| is_one(path, HOSTS) || is_one(path, TOOLS))
            || self.image.contains("\\users\\")
        {
            3
        } else {
            2
        }
    }

    fn is_grave(&self) -> bool {
        let is_host = is_one(&self.image, HOSTS);
        let is_of_office = is_one(&self.parent, OFFICE);
        let is_in_open = |path: &str| OPEN_PLACES.iter().any(|place| path.contains(place));
        let is_runnable = RUNNABLE.iter().any(|end| self.target.ends_with(end));
        let is_command = (is_host || is_one(&self.image, TOOLS))
            && COMMANDS.iter().any(|word| self.command.contains(word));
        let is_dropped = is_host && is_runnable && is_in_open(&self.target);
        let is_stolen =
            ["lsass.exe", "mstsc.exe"].contains(&name(&self.target)) && !self.image.contains("\\system32\\");
        let is_kept = self.registry.contains("\\currentversion\\run")
            && is_one(&self.image, &["reg.exe", "powershell.exe"]);
        (is_host && is_of_office)
            || is_command
            || is_dropped
            || is_stolen
            || is_kept
            || (is_host && is_in_open(&self.parent))
    }
}

fn name(path: &str) -> &str {
    path.rsplit('\\').next().unwrap_or(path)
}

fn is_one(path: &str, names: &[&str]) -> bool {
    names.contains(&name(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::Timestamp;

    #[test]
    fn what_programs_do_weighs_by_whose_way_it_is() {
        for (fields, expected) in [
            (&[("image", r"C:\Windows\explorer.exe")] as &[(&str, &str)], 2),
            (&[("image", r"C:\Windows\System32\cmd.exe"), ("parentImage", r"C:\Windows\explorer.exe")], 3),
            (
                &[("image", r"C:\Windows\System32\cmd.exe"), ("parentImage", r"C:\Program Files\EXCEL.EXE")],
                12,
            ),
            (
                &[
                    ("image", r"C:\Windows\System32\certutil.exe"),
                    ("commandLine", "certutil -urlcache -f https://files.example.org/a.dll a.dll"),
                ],
                12,
            ),
            (
                &[("image", r"C:\Windows\System32\mshta.exe"), ("targetFilename", r"C:\Users\Public\a.exe")],
                12,
            ),
            (
                &[
                    ("image", r"C:\Program Files\Editor\editor.exe"),
                    ("targetFilename", r"C:\Users\Public\a.exe"),
                ],
                2,
            ),
            (
                &[
                    ("sourceImage", r"C:\Users\ann\Downloads\a.exe"),
                    ("targetImage", r"C:\Windows\System32\lsass.exe"),
                ],
                12,
            ),
        ] {
            let mut event = Event::new("", Timestamp::MIN);
            event.set("labels.win.system.channel", "Microsoft-Windows-Sysmon/Operational");
            for (name, value) in fields {
                event.set(format!("labels.win.eventdata.{name}"), *value);
            }
            assert_eq!(weight(&event), Some(expected), "{fields:?}");
        }
        assert_eq!(weight(&Event::new("", Timestamp::MIN)), None);
    }
}
