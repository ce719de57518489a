//! Finds the tensors in the values of a pickle, by name.
//!
//! A name is the path of keys to the tensor. Of a whole module only what its `state_dict()` would
//! contain is looked at; of other objects the members and attributes, once each, because they may
//! refer to each other in circles. What is neither a tensor nor contains one is passed over.

use std::collections::{BTreeMap, HashMap, HashSet};

use burn::tensor::DType;

use super::Error;
use super::pickle::{Graph, Group, Id, Value};

/// The tables of a `torch.nn.Module`.
const TABLES: [&str; 3] = ["_parameters", BUFFERS, "_modules"];
const BUFFERS: &str = "_buffers";
/// Values that may be looked at; a pickle whose groups contain each other can have more paths than
/// any machine could follow.
const MOST_STEPS: usize = 20_000_000;
/// Groups that may be inside one another.
const DEEPEST: usize = 200;

/// A tensor in a storage of the container.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tensor {
    /// Key of the storage.
    pub(super) key: String,
    /// Type of its elements.
    pub(super) kind: Kind,
    /// Number of elements of the storage.
    pub(super) length: usize,
    /// First element of the tensor.
    pub(super) offset: usize,
    /// Lengths of the axes.
    pub(super) shape: Vec<usize>,
    /// Elements from one step along an axis to the next.
    pub(super) strides: Vec<usize>,
}

/// Type of the elements of a storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// Bytes of an element.
    pub(super) bytes: usize,
    /// The type if it is floating-point.
    pub(super) float: Option<DType>,
}

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

/// Returns key, bytes and bytes of an element of each storage that a pickle refers to.
pub(super) fn storages(graph: &Graph) -> HashMap<String, [usize; 2]> {
    let storages = graph.all().filter_map(|value| match value {
        Value::Persistent(id) => Storage::of(graph, *id),
        _ => None,
    });
    storages.map(|storage| (storage.key, [storage.length, storage.kind.bytes])).collect()
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
            && is_named(self.graph, class, &["collections.OrderedDict"])
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
    /// Reads an object's attributes; returns `None` if it is no module.
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

fn is_named(graph: &Graph, class: Id, names: &[&str]) -> bool {
    matches!(graph.get(class), Value::Global(name) if names.contains(&name.as_str()))
}

/// Returns the tensor that a value is; `None` if it is no tensor, or one of a form that no weights
/// have (sparse, quantized).
fn tensor(graph: &Graph, id: Id) -> Result<Option<Tensor>, Error> {
    let Some(group) = graph.group(id) else { return Ok(None) };
    let Some([mut function, mut arguments]) = group.call else { return Ok(None) };
    // A parameter wraps a tensor; a subclass has the function and the arguments as arguments.
    for _ in 0..DEEPEST {
        let Some(items) = graph.group(arguments).map(|group| group.items.as_slice()) else {
            return Ok(None);
        };
        let Value::Global(name) = graph.get(function) else { return Ok(None) };
        let wrapped = match (name.as_str(), items) {
            (
                "torch._utils._rebuild_parameter"
                | "torch._utils._rebuild_parameter_with_state"
                | "torch.nn.parameter.Parameter",
                [data, ..],
            ) => graph.group(*data).and_then(|data| data.call),
            // As PyTorch before 0.4 saved a parameter: its tensor is the first part of its state.
            ("torch.nn.parameter.Parameter" | "torch.autograd.variable.Variable", []) => {
                let state = group.state.and_then(|state| graph.group(state));
                let data = state.and_then(|state| graph.group(*state.items.first()?));
                data.and_then(|data| data.call)
            }
            ("torch._tensor._rebuild_from_type_v2", [inner, _, arguments, ..]) => {
                Some([*inner, *arguments])
            }
            (
                "torch._utils._rebuild_tensor"
                | "torch._utils._rebuild_tensor_v2"
                | "torch._utils._rebuild_tensor_v3",
                [storage, offset, shape, strides, ..],
            ) => return view(graph, [*storage, *offset, *shape, *strides]),
            _ => None,
        };
        match wrapped {
            Some(wrapped) => [function, arguments] = wrapped,
            None => return Ok(None),
        }
    }
    Ok(None)
}

fn view(
    graph: &Graph,
    [storage, offset, shape, strides]: [Id; 4],
) -> Result<Option<Tensor>, Error> {
    let Value::Persistent(storage) = graph.get(storage) else { return Ok(None) };
    let Some(storage) = Storage::of(graph, *storage) else { return Ok(None) };
    let sizes = |id: Id| -> Option<Vec<usize>> {
        graph.group(id)?.items.iter().map(|&item| graph.size(item)).collect()
    };
    let parts = graph.size(offset).zip(sizes(shape)).zip(sizes(strides));
    let ((offset, shape), strides) = parts.ok_or(Error::Tensor)?;
    let offset = offset.checked_add(storage.begins).ok_or(Error::Tensor)?;
    let Storage { key, kind, length, .. } = storage;
    let tensor = Tensor { key, kind, length, offset, shape, strides };
    tensor.end().filter(|&end| end <= length).ok_or(Error::Tensor)?;
    // An `expand` repeats values without storing them; no weight is one.
    Ok(tensor.elements().is_some_and(|elements| elements <= length).then_some(tensor))
}

impl Tensor {
    /// Returns the number of elements; `None` if it is out of range.
    pub(super) fn elements(&self) -> Option<usize> {
        self.shape.iter().try_fold(1_usize, |all, &axis| all.checked_mul(axis))
    }

    /// Returns the element of the storage after the last one; `None` if it is out of range.
    pub(super) fn end(&self) -> Option<usize> {
        if self.shape.len() != self.strides.len() {
            return None;
        }
        if self.elements()? == 0 {
            return Some(self.offset);
        }
        let mut axes = self.shape.iter().zip(&self.strides);
        let last = axes.try_fold(self.offset, |at, (&axis, &stride)| {
            at.checked_add((axis - 1).checked_mul(stride)?)
        })?;
        last.checked_add(1)
    }

    /// Whether the elements are in row-major order in the storage.
    fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        self.shape.iter().zip(&self.strides).rev().all(|(&axis, &stride)| {
            let is_next = axis == 1 || stride == expected;
            expected *= axis;
            is_next
        })
    }

    /// Puts the elements of the storage from `offset` on into row-major order.
    pub(super) fn gather(&self, storage: &[u8]) -> Vec<u8> {
        let size = self.kind.bytes;
        let count = self.elements().unwrap_or(0);
        if self.is_contiguous() {
            return storage[..count * size].to_vec();
        }
        let mut at = vec![0; self.shape.len()];
        let mut gathered = Vec::with_capacity(count * size);
        for _ in 0..count {
            let element: usize = at.iter().zip(&self.strides).map(|(at, stride)| at * stride).sum();
            gathered.extend_from_slice(&storage[element * size..][..size]);
            for axis in (0..at.len()).rev() {
                at[axis] += 1;
                if at[axis] < self.shape[axis] {
                    break;
                }
                at[axis] = 0;
            }
        }
        gathered
    }
}

/// A storage as a pickle refers to it.
struct Storage {
    key: String,
    kind: Kind,
    /// Its elements.
    length: usize,
    /// The first element of a view of it.
    begins: usize,
}

impl Storage {
    /// Reads `('storage', type, key, device, elements)`, followed in old files by `None` or by key,
    /// offset and size of a view.
    fn of(graph: &Graph, id: Id) -> Option<Self> {
        let [tag, kind, key, _, length, view @ ..] = graph.group(id)?.items.as_slice() else {
            return None;
        };
        if graph.text(*tag) != Some("storage") {
            return None;
        }
        let (Value::Global(kind) | Value::Text(kind)) = graph.get(*kind) else { return None };
        let begins = match view.first().and_then(|view| graph.group(*view)) {
            Some(view) => graph.size(*view.items.get(1)?)?,
            None => 0,
        };
        Some(Self {
            key: graph.key(*key)?,
            kind: Kind::of(kind.rsplit('.').next()?)?,
            length: graph.size(*length)?,
            begins,
        })
    }
}

impl Kind {
    /// Returns the type of the elements of PyTorch's class of storages.
    fn of(class: &str) -> Option<Self> {
        let (bytes, float) = match class {
            "DoubleStorage" => (8, Some(DType::F64)),
            "FloatStorage" => (4, Some(DType::F32)),
            "HalfStorage" => (2, Some(DType::F16)),
            "BFloat16Storage" => (2, Some(DType::BF16)),
            "LongStorage" | "ComplexFloatStorage" => (8, None),
            "ComplexDoubleStorage" => (16, None),
            "IntStorage" | "QInt32Storage" => (4, None),
            "ShortStorage" => (2, None),
            "CharStorage" | "ByteStorage" | "BoolStorage" | "UntypedStorage" | "QInt8Storage"
            | "QUInt8Storage" => (1, None),
            _ => return None,
        };
        Some(Self { bytes, float })
    }
}
