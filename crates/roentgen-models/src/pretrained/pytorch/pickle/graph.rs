//! The values of a pickle, which refer to each other by number.

/// The number of a value.
pub(in super::super) type Id = u32;

/// The number of all values that are of no interest: numbers with a point, `None`, bytes.
pub(super) const OTHER: Id = 0;
/// The numbers of `False` and `True`, which are whole numbers in Python.
pub(super) const TRUTHS: [Id; 2] = [1, 2];

/// A value of a pickle.
#[derive(Debug)]
pub(in super::super) enum Value {
    /// A value of no interest.
    Other,
    /// A whole number.
    Int(i64),
    /// A text.
    Text(String),
    /// A class or function: its module and name, with a dot in between.
    Global(String),
    /// What a container refers to from outside the pickle: a storage.
    Persistent(Id),
    /// A list, tuple, set, dictionary or object.
    Group(Box<Group>),
}

/// A list, tuple, set, dictionary or object, or several of them at once: subclasses are.
#[derive(Debug, Default)]
pub(in super::super) struct Group {
    /// Class or function, and its arguments, of an object.
    pub(in super::super) call: Option<[Id; 2]>,
    /// Members in order.
    pub(in super::super) items: Vec<Id>,
    /// Keys and their values in order.
    pub(in super::super) pairs: Vec<[Id; 2]>,
    /// The attributes of an object.
    pub(in super::super) state: Option<Id>,
}

/// The values of a pickle.
#[derive(Debug)]
pub(in super::super) struct Graph {
    pub(super) values: Vec<Value>,
    /// The whole.
    pub(in super::super) root: Id,
}

impl Graph {
    /// Returns a value.
    pub(in super::super) fn get(&self, id: Id) -> &Value {
        self.values.get(id as usize).unwrap_or(&Value::Other)
    }

    /// Returns a value as a group.
    pub(in super::super) fn group(&self, id: Id) -> Option<&Group> {
        match self.get(id) {
            Value::Group(group) => Some(group),
            _ => None,
        }
    }

    /// Returns a value as text.
    pub(in super::super) fn text(&self, id: Id) -> Option<&str> {
        match self.get(id) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns a value as a number that is not negative.
    pub(in super::super) fn size(&self, id: Id) -> Option<usize> {
        match self.get(id) {
            Value::Int(number) => usize::try_from(*number).ok(),
            _ => None,
        }
    }

    /// Returns a text or a number as text, as keys are.
    pub(in super::super) fn key(&self, id: Id) -> Option<String> {
        match self.get(id) {
            Value::Text(text) => Some(text.clone()),
            Value::Int(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Whether a value is a class or function with one of these names.
    pub(in super::super) fn is_named(&self, id: Id, names: &[&str]) -> bool {
        matches!(self.get(id), Value::Global(name) if names.contains(&name.as_str()))
    }

    /// Returns all values, in the order in which they were made.
    pub(in super::super) fn all(&self) -> impl Iterator<Item = &Value> {
        self.values.iter()
    }
}
