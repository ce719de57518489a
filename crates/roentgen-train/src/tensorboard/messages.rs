//! The parts of TensorFlow's `event.proto`, `summary.proto` and `tensor.proto` and of the
//! hyper-parameter plugin's `plugin_data.proto` that are used here.
//!
//! Field numbers are those of TensorFlow; fields that are never written are left out.

use std::collections::BTreeMap;

use prost::Message;

#[derive(Message)]
pub(super) struct Event {
    #[prost(double, tag = "1")]
    pub(super) wall_time: f64,
    #[prost(int64, tag = "2")]
    pub(super) step: i64,
    #[prost(oneof = "What", tags = "3, 5, 7")]
    pub(super) what: Option<What>,
}

#[derive(prost::Oneof)]
pub(super) enum What {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
    #[prost(message, tag = "7")]
    SessionLog(SessionLog),
}

#[derive(Message)]
pub(super) struct SessionLog {
    /// 1 means start.
    #[prost(int32, tag = "1")]
    pub(super) status: i32,
}

#[derive(Message)]
pub(super) struct Summary {
    #[prost(message, repeated, tag = "1")]
    pub(super) values: Vec<Value>,
}

#[derive(Message)]
pub(super) struct Value {
    #[prost(string, tag = "1")]
    pub(super) tag: String,
    #[prost(oneof = "Content", tags = "2, 4, 8")]
    pub(super) content: Option<Content>,
    #[prost(message, optional, tag = "9")]
    pub(super) metadata: Option<Metadata>,
}

#[derive(prost::Oneof)]
pub(super) enum Content {
    #[prost(float, tag = "2")]
    Scalar(f32),
    #[prost(message, tag = "4")]
    Image(Image),
    #[prost(message, tag = "8")]
    Tensor(Tensor),
}

#[derive(Message)]
pub(super) struct Image {
    #[prost(int32, tag = "1")]
    pub(super) height: i32,
    #[prost(int32, tag = "2")]
    pub(super) width: i32,
    /// 1 for gray, 3 for red, green and blue.
    #[prost(int32, tag = "3")]
    pub(super) colours: i32,
    #[prost(bytes, tag = "4")]
    pub(super) png: Vec<u8>,
}

/// The TensorBoard plugin that shows a value.
#[derive(Message)]
pub(super) struct Metadata {
    #[prost(message, optional, tag = "1")]
    pub(super) plugin: Option<Plugin>,
}

#[derive(Message)]
pub(super) struct Plugin {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(bytes, tag = "2")]
    pub(super) content: Vec<u8>,
}

#[derive(Message)]
pub(super) struct Tensor {
    /// 1 for float, 7 for string.
    #[prost(int32, tag = "1")]
    pub(super) kind: i32,
    #[prost(message, optional, tag = "2")]
    pub(super) shape: Option<Shape>,
    #[prost(float, repeated, tag = "5")]
    pub(super) floats: Vec<f32>,
    #[prost(bytes = "vec", repeated, tag = "8")]
    pub(super) strings: Vec<Vec<u8>>,
}

/// The shape of a single value, which has no axes.
#[derive(Message)]
pub(super) struct Shape {}

#[derive(Message)]
pub(super) struct Hyper {
    #[prost(oneof = "HyperData", tags = "3, 4")]
    pub(super) data: Option<HyperData>,
}

#[derive(prost::Oneof)]
pub(super) enum HyperData {
    #[prost(message, tag = "3")]
    Start(Start),
    #[prost(message, tag = "4")]
    End(End),
}

/// Start of a run, with its settings.
#[derive(Message)]
pub(super) struct Start {
    #[prost(btree_map = "string, message", tag = "1")]
    pub(super) settings: BTreeMap<String, Setting>,
    #[prost(double, tag = "5")]
    pub(super) seconds: f64,
}

/// End of a run.
#[derive(Message)]
pub(super) struct End {
    /// 1 means success.
    #[prost(int32, tag = "1")]
    pub(super) status: i32,
    #[prost(double, tag = "2")]
    pub(super) seconds: f64,
}

/// `google.protobuf.Value`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Setting {
    #[prost(oneof = "SettingKind", tags = "2, 3, 4")]
    pub(super) kind: Option<SettingKind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum SettingKind {
    #[prost(double, tag = "2")]
    Number(f64),
    #[prost(string, tag = "3")]
    Text(String),
    #[prost(bool, tag = "4")]
    Switch(bool),
}
