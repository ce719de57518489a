//! Finds the tensors in the values of a pickle, by name.
//!
//! A name is the path of keys to the tensor. Of a whole module only what its `state_dict()` would
//! contain is looked at; of other objects the members and attributes, once each, because they may
//! refer to each other in circles. Values that neither are nor contain a tensor are skipped.

use std::collections::{BTreeMap, HashSet};

use super::Error;
use super::pickle::{Graph, Group, Id};
use super::tensor::{DEEPEST, Tensor, tensor};

/// The tables of a `torch.nn.Module`.
const TABLES: [&str; 3] = ["_parameters", BUFFERS, "_modules"];
const BUFFERS: &str = "_buffers";
/// Values that may be looked at; a pickle whose groups contain each other can have more paths than
/// any machine could follow.
const MOST_STEPS: usize = 20_000_000;

/// Returns the tensors of a pickle by name.
///
/// # Errors
///
/// Returns an error if a tensor does not fit its storage, or if the values are nested too deeply.
pub(super) fn tensors(graph: &Graph) -> Result<BTreeMap<String, Tensor>, Error> {
    let mut walk = Walk {
        graph,
        path: Vec::new(),
        found: BTreeMap::new(),
        seen: HashSet::new(),
        active: HashSet::new(),
        steps: 0,
    };
    walk.visit(graph.root)?;
    Ok(walk.found)
}

struct Walk<'a> {
    graph: &'a Graph,
    path: Vec<String>,
    found: BTreeMap<String, Tensor>,
    /// Objects that have been looked at.
    seen: HashSet<Id>,
    /// Groups that contain the value that is being looked at.
    active: HashSet<Id>,
    steps: usize,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, id: Id) -> Result<(), Error> {
        if let Some(tensor) = tensor(self.graph, id)? {
            self.found.entry(self.path.join(".")).or_insert(tensor);
            return Ok(());
        }
        let Some(group) = self.graph.group(id) else { return Ok(()) };
        if self.path.len() == DEEPEST || !self.active.insert(id) {
            return Ok(());
        }
        match group.state.and_then(|state| Module::of(self.graph, state)) {
            Some(module) => self.module(&module)?,
            None => self.members(id, group)?,
        }
        self.active.remove(&id);
        Ok(())
    }

    fn inside(&mut self, name: impl FnOnce() -> Option<String>, id: Id) -> Result<(), Error> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return Err(Error::Nested);
        }
        if self.graph.group(id).is_none() {
            return Ok(());
        }
        let Some(name) = name() else { return Ok(()) };
        self.path.push(name);
        let result = self.visit(id);
        self.path.pop();
        result
    }

    fn module(&mut self, module: &Module) -> Result<(), Error> {
        let graph = self.graph;
        for (table, group) in TABLES.into_iter().zip(module.tables) {
            for [key, value] in &group.pairs {
                let is_left_out = || {
                    let name = graph.text(*key);
                    table == BUFFERS && name.is_some_and(|name| module.left_out.contains(&name))
                };
                if !is_left_out() {
                    self.inside(|| graph.key(*key), *value)?;
                }
            }
        }
        Ok(())
    }

    fn members(&mut self, id: Id, group: &Group) -> Result<(), Error> {
        let graph = self.graph;
        let is_object = group.call.is_some();
        if is_object && !self.seen.insert(id) && group.pairs.is_empty() {
            return Ok(());
        }
        for [key, value] in &group.pairs {
            self.inside(|| graph.key(*key), *value)?;
        }
        for (number, item) in group.items.iter().enumerate() {
            self.inside(|| Some(number.to_string()), *item)?;
        }
        // The first form of `OrderedDict`: a list of keys and values as its argument.
        if let Some([class, arguments]) = group.call
            && self.graph.is_named(class, &["collections.OrderedDict"])
        {
            self.ordered(arguments)?;
        }
        // The attributes of an object that is itself a dictionary, such as `_metadata`, come last.
        if let Some(attributes) = group.state.and_then(|state| self.graph.group(state)) {
            for [key, value] in &attributes.pairs {
                self.inside(|| graph.key(*key), *value)?;
            }
        }
        Ok(())
    }

    fn ordered(&mut self, arguments: Id) -> Result<(), Error> {
        let graph: &'a Graph = self.graph;
        let group = |id: Id| graph.group(id);
        let list = group(arguments).and_then(|arguments| group(*arguments.items.first()?));
        for pair in list.map_or(&[][..], |list| &list.items) {
            let Some([key, value]) = self.graph.group(*pair).map(|pair| pair.items.as_slice())
            else {
                continue;
            };
            self.inside(|| graph.key(*key), *value)?;
        }
        Ok(())
    }
}

/// The attributes of a `torch.nn.Module` that make up its `state_dict()`.
struct Module<'a> {
    tables: [&'a Group; 3],
    /// Names of buffers that the state dictionary leaves out.
    left_out: Vec<&'a str>,
}

impl<'a> Module<'a> {
    /// Reads an object's attributes; returns `None` if it is not a module.
    fn of(graph: &'a Graph, state: Id) -> Option<Self> {
        let attributes = graph.group(state)?;
        let attribute = |name: &str| {
            let mut pairs = attributes.pairs.iter();
            let [_, value] = pairs.find(|[key, _]| graph.text(*key) == Some(name))?;
            graph.group(*value)
        };
        let [parameters, buffers, modules] = TABLES.map(attribute);
        let left_out = attribute("_non_persistent_buffers_set").map_or(Vec::new(), |set| {
            // A set is an object whose argument is the list of its members.
            let arguments = set.call.and_then(|[_, arguments]| graph.group(arguments));
            let list = arguments.and_then(|arguments| graph.group(*arguments.items.first()?));
            list.unwrap_or(set).items.iter().filter_map(|&name| graph.text(name)).collect()
        });
        Some(Self { tables: [parameters?, buffers?, modules?], left_out })
    }
}
