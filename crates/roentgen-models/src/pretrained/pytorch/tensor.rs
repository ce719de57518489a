//! Tensors as a pickle describes them: a view of a storage, as the arguments of the functions that rebuild it.

use std::collections::HashMap;

use burn::tensor::DType;

use super::Error;
use super::pickle::{Graph, Id, Value};

/// Groups that may be inside one another, and functions around a tensor.
pub(super) const DEEPEST: usize = 200;

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

/// Returns key, bytes and bytes of an element of each storage that a pickle refers to.
pub(super) fn storages(graph: &Graph) -> HashMap<String, [usize; 2]> {
    let storages = graph.all().filter_map(|value| match value {
        Value::Persistent(id) => Storage::of(graph, *id),
        _ => None,
    });
    storages.map(|storage| (storage.key, [storage.length, storage.kind.bytes])).collect()
}

/// Returns the tensor that a value is; `None` if it is not a tensor, or one of a form that no weights
/// have (sparse, quantized).
pub(super) fn tensor(graph: &Graph, id: Id) -> Result<Option<Tensor>, Error> {
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
