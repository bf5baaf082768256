//! What a request betrays.

use crate::Kind;

/// What a request betrays: the gravest thing first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sign {
    /// A lookup over JNDI (CVE-2021-44228 and its kin), open or disguised.
    JndiLookup,
    /// A function definition for bash (CVE-2014-6271).
    Shellshock,
    /// A command for a shell.
    CommandInjection,
    /// An expression for a template engine, for OGNL or for another language of expressions.
    ExpressionInjection,
    /// Code for PHP or another interpreter.
    CodeInjection,
    /// SQL where a value belongs; queries of document stores and directories too.
    SqlInjection,
    /// A path that leaves its folder, or names a file of the system.
    PathTraversal,
    /// A file or an address that the server is to fetch: wrappers of PHP, foreign scripts, its own network.
    FileInclusion,
    /// A script that is to run in somebody's browser.
    CrossSiteScripting,
    /// The rest of a response, smuggled in by a line break.
    HeaderInjection,
    /// The very request of a published exploit.
    KnownExploit,
    /// A shell that somebody may have left behind.
    WebShell,
    /// An attack as another program tells of it: a firewall for applications, a server.
    Reported,
    /// What holds secrets and is nobody's page: dotfiles, copies of source and settings, dumps.
    SensitiveFile,
    /// A program made for attacks.
    AttackTool,
    /// A crawler's name on what no crawler does.
    FalseCrawler,
    /// A place known to be vulnerable somewhere, asked whether it is here.
    VulnerableEndpoint,
    /// A program that looks at the whole internet, or harvests addresses, or sows advertisements.
    Scanner,
    /// An application or its administration that is not here.
    Absent,
    /// What is no request of HTTP.
    Malformed,
    /// Credentials were refused.
    LoginFailed,
    /// Credentials were sent, and the status does not tell how that went.
    LoginTried,
    /// Credentials were taken, if such requests are turned down otherwise.
    LoginPassed,
    /// Somebody asked for too much.
    TooMany,
}

impl Sign {
    /// The kind of activity: what would do harm if it went through is an attack, what only asks whether something is
    /// there is a probe.
    pub const fn kind(self) -> Kind {
        match self {
            Self::JndiLookup
            | Self::Shellshock
            | Self::CommandInjection
            | Self::ExpressionInjection
            | Self::CodeInjection
            | Self::SqlInjection
            | Self::PathTraversal
            | Self::FileInclusion
            | Self::CrossSiteScripting
            | Self::HeaderInjection
            | Self::KnownExploit
            | Self::WebShell
            | Self::Reported
            | Self::SensitiveFile
            | Self::AttackTool
            | Self::FalseCrawler => Kind::WebAttack,
            Self::VulnerableEndpoint | Self::Scanner | Self::Absent => Kind::WebProbe,
            Self::Malformed => Kind::WebMalformed,
            Self::LoginFailed => Kind::WebAuthFailure,
            Self::LoginTried | Self::LoginPassed => Kind::None,
            Self::TooMany => Kind::WebRate,
        }
    }

    /// Whether it carries an exploit, and does not merely look for something.
    pub const fn is_exploit(self) -> bool {
        (self as u8) <= (Self::Reported as u8)
    }

    /// Whether it is what programs ask every site for, to see whether it is there.
    pub const fn is_looked_for(self) -> bool {
        matches!(
            self,
            Self::WebShell
                | Self::SensitiveFile
                | Self::AttackTool
                | Self::FalseCrawler
                | Self::VulnerableEndpoint
                | Self::Scanner
                | Self::Absent
        )
    }

    /// The name of the sign.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::JndiLookup => "jndi_lookup",
            Self::Shellshock => "shellshock",
            Self::CommandInjection => "command_injection",
            Self::ExpressionInjection => "expression_injection",
            Self::CodeInjection => "code_injection",
            Self::SqlInjection => "sql_injection",
            Self::PathTraversal => "path_traversal",
            Self::FileInclusion => "file_inclusion",
            Self::CrossSiteScripting => "cross_site_scripting",
            Self::HeaderInjection => "header_injection",
            Self::KnownExploit => "known_exploit",
            Self::WebShell => "web_shell",
            Self::Reported => "reported",
            Self::SensitiveFile => "sensitive_file",
            Self::AttackTool => "attack_tool",
            Self::FalseCrawler => "false_crawler",
            Self::VulnerableEndpoint => "vulnerable_endpoint",
            Self::Scanner => "scanner",
            Self::Absent => "absent",
            Self::Malformed => "malformed",
            Self::LoginFailed => "login_failed",
            Self::LoginTried => "login_tried",
            Self::LoginPassed => "login_passed",
            Self::TooMany => "too_many",
        }
    }
}
