//! The rules that come along.

/// Name and text of every rule file below `infra/rules`.
pub const SHIPPED: &[(&str, &str)] = &[
    ("linux/audit_switched_off.yml", include_str!("../../../infra/rules/linux/audit_switched_off.yml")),
    ("linux/clock_set_by_command.yml", include_str!("../../../infra/rules/linux/clock_set_by_command.yml")),
    ("linux/container_escape.yml", include_str!("../../../infra/rules/linux/container_escape.yml")),
    ("linux/decoded_into_a_shell.yml", include_str!("../../../infra/rules/linux/decoded_into_a_shell.yml")),
    (
        "linux/discovery_after_a_break_in.yml",
        include_str!("../../../infra/rules/linux/discovery_after_a_break_in.yml"),
    ),
    ("linux/download_into_a_shell.yml", include_str!("../../../infra/rules/linux/download_into_a_shell.yml")),
    ("linux/firewall_opened.yml", include_str!("../../../infra/rules/linux/firewall_opened.yml")),
    ("linux/foreign_kernel_module.yml", include_str!("../../../infra/rules/linux/foreign_kernel_module.yml")),
    ("linux/history_cleared.yml", include_str!("../../../infra/rules/linux/history_cleared.yml")),
    (
        "linux/interactive_root_shell.yml",
        include_str!("../../../infra/rules/linux/interactive_root_shell.yml"),
    ),
    ("linux/job_that_downloads.yml", include_str!("../../../infra/rules/linux/job_that_downloads.yml")),
    (
        "linux/key_file_written_by_command.yml",
        include_str!("../../../infra/rules/linux/key_file_written_by_command.yml"),
    ),
    ("linux/logging_stopped.yml", include_str!("../../../infra/rules/linux/logging_stopped.yml")),
    ("linux/logs_removed.yml", include_str!("../../../infra/rules/linux/logs_removed.yml")),
    (
        "linux/mandatory_access_control_off.yml",
        include_str!("../../../infra/rules/linux/mandatory_access_control_off.yml"),
    ),
    ("linux/miner.yml", include_str!("../../../infra/rules/linux/miner.yml")),
    (
        "linux/module_loaded_by_command.yml",
        include_str!("../../../infra/rules/linux/module_loaded_by_command.yml"),
    ),
    ("linux/netcat_with_a_program.yml", include_str!("../../../infra/rules/linux/netcat_with_a_program.yml")),
    ("linux/package_key_bypassed.yml", include_str!("../../../infra/rules/linux/package_key_bypassed.yml")),
    ("linux/passwords_read.yml", include_str!("../../../infra/rules/linux/passwords_read.yml")),
    ("linux/preload_changed.yml", include_str!("../../../infra/rules/linux/preload_changed.yml")),
    ("linux/promiscuous_mode.yml", include_str!("../../../infra/rules/linux/promiscuous_mode.yml")),
    ("linux/reverse_shell.yml", include_str!("../../../infra/rules/linux/reverse_shell.yml")),
    (
        "linux/run_from_a_temporary_folder.yml",
        include_str!("../../../infra/rules/linux/run_from_a_temporary_folder.yml"),
    ),
    (
        "linux/service_account_takes_a_shell.yml",
        include_str!("../../../infra/rules/linux/service_account_takes_a_shell.yml"),
    ),
    ("linux/set_user_id_given.yml", include_str!("../../../infra/rules/linux/set_user_id_given.yml")),
    ("linux/usb_storage.yml", include_str!("../../../infra/rules/linux/usb_storage.yml")),
    (
        "services/certificate_at_its_end.yml",
        include_str!("../../../infra/rules/services/certificate_at_its_end.yml"),
    ),
    ("services/mail_relay_tried.yml", include_str!("../../../infra/rules/services/mail_relay_tried.yml")),
    ("services/mysql_file_written.yml", include_str!("../../../infra/rules/services/mysql_file_written.yml")),
    ("services/postgresql_program.yml", include_str!("../../../infra/rules/services/postgresql_program.yml")),
    (
        "services/redis_foreign_protocol.yml",
        include_str!("../../../infra/rules/services/redis_foreign_protocol.yml"),
    ),
    (
        "services/redis_replica_of_a_stranger.yml",
        include_str!("../../../infra/rules/services/redis_replica_of_a_stranger.yml"),
    ),
    ("services/start_given_up.yml", include_str!("../../../infra/rules/services/start_given_up.yml")),
    (
        "services/worker_killed_by_a_signal.yml",
        include_str!("../../../infra/rules/services/worker_killed_by_a_signal.yml"),
    ),
    (
        "web/method_that_no_browser_sends.yml",
        include_str!("../../../infra/rules/web/method_that_no_browser_sends.yml"),
    ),
    ("web/secrets_handed_out.yml", include_str!("../../../infra/rules/web/secrets_handed_out.yml")),
    ("web/shell_of_an_upload.yml", include_str!("../../../infra/rules/web/shell_of_an_upload.yml")),
];

/// Whether a rule file of this name, as [`SHIPPED`] has it, comes along.
pub fn is_shipped(file: &str) -> bool {
    SHIPPED.iter().any(|(name, _)| *name == file)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use event::Timestamp;

    use super::SHIPPED;
    use crate::{Config, SigmaRules, rules, trial};

    #[test]
    fn every_file_comes_along() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/rules");
        let mut files = vec![];
        for folder in
            fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir())
        {
            for file in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
                let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
                files.push(format!("{}/{}", name(&folder), name(&file)));
            }
        }
        files.sort_unstable();
        assert_eq!(files, SHIPPED.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    }

    #[test]
    fn every_rule_loads_and_holds_its_tests() {
        let (all, errors) = rules::read(SHIPPED.iter().copied());
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(all.rules().len() + all.correlations().len(), SHIPPED.len(), "one in each file");
        for (name, text) in SHIPPED {
            let outcomes = trial::run(name, text, Timestamp::MIN).unwrap();
            assert!(outcomes.iter().any(|outcome| outcome.trial.findings > 0), "{name} shows what it finds");
            assert!(
                outcomes.iter().any(|outcome| outcome.trial.findings == 0),
                "{name} shows what it does not find"
            );
            for outcome in outcomes {
                assert!(outcome.is_held(), "{name}: {outcome:#?}");
            }
        }
    }

    #[test]
    fn every_rule_says_how_grave_it_is_and_when_it_is_wrong() {
        let (all, _) = rules::read(SHIPPED.iter().copied());
        for rule in SigmaRules::new(all, &Config::default()).rules().rules() {
            let about = &rule.about;
            assert!(
                about.id.is_some() && about.level.is_some() && about.description.is_some(),
                "{}",
                about.file
            );
            assert!(!about.false_positives.is_empty(), "{}", about.file);
        }
    }
}
