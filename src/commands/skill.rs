//! `git orch skill`

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::app::App;
use crate::error::{Error, IoContext, Result, exit};

/// Print what tells an agent when and how to use git-orch: an Agent Skill
///
/// Claude Code, Codex, Gemini, Copilot and others read such a file from a
/// folder of skills: `git orch skill --install ~/.claude/skills`. Nothing is
/// written without --install.
#[derive(Debug, clap::Args)]
pub(super) struct SkillArgs {
    /// Write it into this folder of skills, as `git-orch/SKILL.md`
    #[arg(long, value_name = "DIR")]
    install: Option<PathBuf>,
}

/// The skill.
const SKILL: &str = include_str!("skill/SKILL.md");
/// How every version of it begins.
const HEAD: &str = "---\nname: git-orch\n";

#[derive(Serialize)]
struct Installed {
    file: PathBuf,
}

pub(super) fn run(app: &App, args: &SkillArgs) -> Result<u8> {
    let Some(folder) = &args.install else {
        app.ui.data(&SKILL)?;
        app.ui.answer(SKILL)?;
        return Ok(exit::DONE);
    };
    let file = app.folder.join(folder).join("git-orch/SKILL.md");
    write(&file)?;
    app.ui.data(&Installed { file: file.clone() })?;
    app.ui.answer(file.display().to_string())?;
    Ok(exit::DONE)
}

/// Writes it, also over another version of it, but over nothing else.
fn write(file: &Path) -> Result<()> {
    match std::fs::read_to_string(file) {
        Ok(there) if there == SKILL => return Ok(()),
        Ok(there) if there.starts_with(HEAD) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        _ => {
            return Err(Error::refused(format!(
                "`{}` is there already, and is none of git-orch",
                file.display()
            ))
            .hint("move it away first"));
        }
    }
    let folder = file.parent().expect("a file lies in a folder");
    std::fs::create_dir_all(folder).doing("could not make", folder)?;
    std::fs::write(file, SKILL).doing("could not write", file)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each piece of code in the skill that is a command line.
    fn lines() -> Vec<&'static str> {
        let code = SKILL.split('`').skip(1).step_by(2);
        code.filter_map(|code| code.strip_prefix("git orch ")).collect()
    }

    #[test]
    fn the_skill_is_named_and_described_as_such_files_are() {
        let head = SKILL.strip_prefix(HEAD).and_then(|rest| rest.split_once("\n---\n"));
        let description = head.and_then(|(head, _)| head.strip_prefix("description: "));
        let length = description.map(|text| text.len());
        assert!(length.is_some_and(|length| (100..=1024).contains(&length)), "{length:?}");
        assert!(SKILL.lines().count() < 200);
    }

    #[test]
    fn what_the_skill_tells_to_type_can_be_typed() {
        let mut cli = crate::commands::cli();
        cli.build();
        assert!(lines().len() > 15);
        for line in lines() {
            let mut words = line.split(' ');
            let name = words.next().unwrap_or_default();
            let command = cli.find_subcommand(name);
            assert!(command.is_some(), "{line}");
            for option in words.filter_map(|word| word.strip_prefix("--")) {
                let known = command
                    .iter()
                    .flat_map(|command| command.get_arguments())
                    .any(|arg| arg.get_long() == Some(option));
                assert!(known, "`{line}`: no option --{option}");
            }
        }
    }
}
