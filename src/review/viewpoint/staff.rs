//! Which program looks from a viewpoint, and how its verdict comes.

use crate::config::Says;
use crate::config::trust::{self, Trust};
use crate::config::{Settings, load};
use crate::error::Result;
use crate::model::{Session, Viewpoint};
use crate::run::Scene;
use crate::run::worker::{self, Program, Worker};

/// What the command line says of who looks.
#[derive(Clone, Debug)]
pub enum Asked {
    /// Nothing.
    Nothing,
    /// This agent.
    Agent(String),
    /// This command.
    Typed(Program),
}

/// Who can look, as settings and command line have it.
#[derive(Clone, Copy)]
pub struct Staff<'a> {
    /// The settings in force.
    pub settings: &'a Settings,
    /// What the user trusts.
    pub trust: &'a Trust,
    /// What the command line says.
    pub asked: &'a Asked,
    /// Whether the exit code is the verdict, whatever the agent's profile says.
    pub by_exit_code: bool,
}

impl Staff<'_> {
    /// Who looks from a viewpoint in a session; nobody where a person does. The
    /// viewpoint's agent comes before the session's: that one does its tasks.
    ///
    /// # Errors
    /// Usage for an unknown agent; untrusted where the repository names its command.
    pub fn find(
        &self,
        scene: Scene<'_>,
        viewpoint: Viewpoint,
        session: &Session,
    ) -> Result<Option<(Program, Says)>> {
        let asked = match self.asked {
            Asked::Typed(program) => {
                let says = if self.by_exit_code { Says::ExitCode } else { Says::Words };
                return Ok(Some((program.clone(), says)));
            }
            Asked::Agent(name) => Some(name.as_str()),
            Asked::Nothing => self.agent_for(viewpoint),
        };
        let worker = worker::configured(self.settings, self.trust, asked, session, scene.environment)?;
        let Worker::Program(program) = worker else { return Ok(None) };
        let profile = program.profile.as_ref();
        let says = match profile {
            _ if self.by_exit_code => Says::ExitCode,
            Some(profile) => {
                if profile.verdict == Says::ExitCode {
                    self.trust.require(&trust::judge(&program.name, &profile.run))?;
                }
                profile.verdict
            }
            None => Says::Words,
        };
        Ok(Some((program, says)))
    }

    /// The agent that is set for a viewpoint.
    pub fn agent_for(&self, viewpoint: Viewpoint) -> Option<&str> {
        let viewpoints = self.settings.file.viewpoints.as_ref()?;
        viewpoints.agents.get(viewpoint.word()).map(String::as_str)
    }

    /// How often the developer is asked again.
    pub fn rounds(&self) -> u8 {
        let viewpoints = self.settings.file.viewpoints.as_ref();
        viewpoints.and_then(|viewpoints| viewpoints.rounds).unwrap_or(load::REVISIONS)
    }
}
