//! Every setting whose value git may execute, and why none of a repository's
//! own is executed behind its user's back.
//!
//! One table serves three ends: what is overridden on every call, what is
//! watched while an agent runs, and a test that holds it against the settings
//! that the installed git knows.
//!
//! **Invariant:** a setting that is not in the table is not known to execute.

/// What becomes of a setting that may execute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Overridden by this value on every call.
    Off(&'static str),
    /// Nothing that is called here reads it.
    Unread,
    /// Read only where git talks to a remote: it does not while the repository
    /// itself has such a setting that the user did not trust.
    Fetch,
    /// Executed on purpose: a file is checked out, stored and merged as the
    /// user's own git does it (LFS, line endings, lock files).
    Wanted,
    /// Executes nothing, but leads git to what does.
    Leads,
}

use Fate::{Fetch, Leads, Off, Unread, Wanted};

/// Settings in lower case; `*` stands for any part.
pub const SETTINGS: &[(&str, Fate)] = &[
    ("core.fsmonitor", Off("false")),
    ("core.hookspath", Off("/dev/null")),
    ("core.pager", Off("cat")),
    ("core.editor", Off("false")),
    ("core.askpass", Off("")),
    ("core.alternaterefscommand", Off("false")),
    ("sequence.editor", Off("false")),
    ("diff.external", Off("")),
    ("interactive.difffilter", Off("cat")),
    // Hooks in the configuration, of newer git: overridden event by event.
    ("hook.*.command", Off("")),
    ("filter.*.clean", Wanted),
    ("filter.*.smudge", Wanted),
    ("filter.*.process", Wanted),
    ("merge.*.driver", Wanted),
    ("lfs.customtransfer.*.path", Wanted),
    ("lfs.extension.*.clean", Wanted),
    ("lfs.extension.*.smudge", Wanted),
    ("lfs.standalonetransferagent", Wanted),
    ("core.sshcommand", Fetch),
    ("core.gitproxy", Fetch),
    ("credential.helper", Fetch),
    ("credential.*.helper", Fetch),
    ("remote.*.uploadpack", Fetch),
    ("remote.*.vcs", Fetch),
    ("remote.*.receivepack", Fetch),
    // `--no-ext-diff --no-textconv` stands in every call that prints a difference.
    ("diff.*.command", Unread),
    ("diff.*.textconv", Unread),
    // Signing and its verification: commits are signed where `orch.sign` says so.
    ("gpg.program", Unread),
    ("gpg.*.program", Unread),
    ("gpg.ssh.defaultkeycommand", Unread),
    // Git's own verbs can't be aliased, and nothing pages into a pipe.
    ("alias.*", Unread),
    ("pager.*", Unread),
    ("receive.procreceiverefs", Unread),
    ("uploadpack.packobjectshook", Unread),
    ("submodule.*.update", Unread),
    ("trailer.*.command", Unread),
    ("trailer.*.cmd", Unread),
    ("tar.*.command", Unread),
    ("gc.recentobjectshook", Unread),
    ("browser.*.cmd", Unread),
    ("browser.*.path", Unread),
    ("web.browser", Unread),
    ("help.browser", Unread),
    ("man.*.cmd", Unread),
    ("man.*.path", Unread),
    ("difftool.*.cmd", Unread),
    ("difftool.*.path", Unread),
    ("mergetool.*.cmd", Unread),
    ("mergetool.*.path", Unread),
    ("guitool.*.cmd", Unread),
    ("instaweb.browser", Unread),
    ("instaweb.httpd", Unread),
    ("imap.tunnel", Unread),
    ("sendemail.*cmd", Unread),
    ("sendemail.smtpserver", Unread),
    ("include.path", Leads),
    ("includeif.*.path", Leads),
    ("init.templatedir", Leads),
    ("core.attributesfile", Leads),
    ("core.worktree", Leads),
    ("protocol.*.allow", Leads),
];

/// Events of hooks that newer git can name in its configuration.
const HOOK_EVENTS: &[&str] = &[
    "applypatch-msg",
    "pre-applypatch",
    "post-applypatch",
    "pre-commit",
    "pre-merge-commit",
    "prepare-commit-msg",
    "commit-msg",
    "post-commit",
    "post-checkout",
    "post-merge",
    "post-rewrite",
    "post-index-change",
    "reference-transaction",
    "pre-auto-gc",
];

/// What becomes of a setting; `None` where it is not known to execute.
pub fn fate(setting: &str) -> Option<Fate> {
    let setting = setting.to_lowercase();
    SETTINGS.iter().find(|(pattern, _)| is_meant(pattern, &setting)).map(|(_, fate)| *fate)
}

fn is_meant(pattern: &str, setting: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == setting,
        Some((start, end)) => {
            setting.len() > start.len() + end.len() && setting.starts_with(start) && setting.ends_with(end)
        }
    }
}

/// The overriding settings, as `-c` takes them.
pub(super) fn overrides() -> impl Iterator<Item = String> {
    let plain = SETTINGS.iter().filter_map(|(setting, fate)| match fate {
        Off(value) if !setting.contains('*') => Some(format!("{setting}={value}")),
        _ => None,
    });
    plain.chain(HOOK_EVENTS.iter().map(|event| format!("hook.{event}.enabled=false")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_found_whatever_its_case_and_its_middle() {
        for (setting, found) in [
            ("core.hooksPath", Some(Off("/dev/null"))),
            ("diff.My.Driver.textconv", Some(Unread)),
            ("diff.textconv", None),
            ("credential.https://example.com/.helper", Some(Fetch)),
            ("alias.st", Some(Unread)),
            ("user.name", None),
        ] {
            assert_eq!(fate(setting), found, "{setting}");
        }
    }
}
