//! Selects the part of a backbone that is trained.
//!
//! A frozen batch norm must also keep its running statistics, or the frozen features drift; Burn's
//! `freeze_group` ensures that if the training flag of the norm is in the group.

use burn::module::{Flag, Module, ModuleVisitor, Param, ParamGroup};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::zoo::Architecture;

/// The part of a backbone that keeps its weights while the rest is trained; its batch norms also
/// keep their statistics, as with Keras' `trainable = False`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "FreezeText", into = "FreezeText")]
pub enum Freeze {
    /// No part.
    #[default]
    Nothing,
    /// The whole backbone: only the head is trained.
    Backbone,
    /// This many stages, counted from the input.
    Stages(usize),
}

/// `"nothing"`, `"backbone"` or a number of stages.
#[derive(Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "`freeze` must be \"nothing\", \"backbone\" or a number of stages from 0"
)]
enum FreezeText {
    Stages(usize),
    Name(String),
}

impl TryFrom<FreezeText> for Freeze {
    type Error = String;

    fn try_from(text: FreezeText) -> Result<Self, String> {
        match text {
            FreezeText::Stages(stages) => Ok(Freeze::Stages(stages)),
            FreezeText::Name(name) => match name.as_str() {
                "nothing" => Ok(Freeze::Nothing),
                "backbone" => Ok(Freeze::Backbone),
                _ => Err(format!(
                    "`freeze = \"{name}\"`: must be \"nothing\", \"backbone\" or a number of stages"
                )),
            },
        }
    }
}

impl From<Freeze> for FreezeText {
    fn from(freeze: Freeze) -> Self {
        match freeze {
            Freeze::Nothing => FreezeText::Name("nothing".into()),
            Freeze::Backbone => FreezeText::Name("backbone".into()),
            Freeze::Stages(stages) => FreezeText::Stages(stages),
        }
    }
}

/// Selects everything in a classifier that `freeze` names.
pub(crate) fn group<M: Module>(
    model: &M,
    architecture: Architecture,
    freeze: Freeze,
) -> ParamGroup {
    let stages = architecture.stages();
    let count = match freeze {
        Freeze::Nothing => 0,
        Freeze::Backbone => stages.len(),
        Freeze::Stages(count) => count.min(stages.len()),
    };
    let mut paths = Paths { path: Vec::new(), stages: &stages[..count], found: Vec::new() };
    model.visit(&mut paths);
    ParamGroup::from_paths(paths.found)
}

/// Collects the paths of modules that belong to given stages of the backbone.
struct Paths<'a> {
    path: Vec<String>,
    stages: &'a [Vec<String>],
    found: Vec<String>,
}

impl Paths<'_> {
    fn note(&mut self) {
        // The first two parts are the field and the variant of the enum.
        let inner = self.path.get(2..).unwrap_or_default().join(".");
        let is_below = |prefix: &String| {
            inner.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.starts_with('.'))
        };
        let is_backbone = self.path.first().is_some_and(|first| first == "backbone");
        if is_backbone && self.stages.iter().flatten().any(is_below) {
            self.found.push(self.path.join("."));
        }
    }
}

impl ModuleVisitor for Paths<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, _param: &Param<Tensor<D>>) {
        self.note();
    }

    fn visit_flag(&mut self, _flag: &Param<Flag>) {
        self.note();
    }
}
