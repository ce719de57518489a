//! Drops what no operation reads.
//!
//! Burn's exporter leaves constants that it has folded, and so does [`crate::relu6`]. ONNX Runtime
//! prints a warning for each of them whenever the file is loaded.

use std::collections::HashSet;

use onnx_ir::GraphProto;

/// Removes initializers that neither an operation reads nor the graph returns, and the descriptions
/// of values that no operation computes.
pub(crate) fn remove(graph: &mut GraphProto) {
    let computed: HashSet<String> =
        graph.node.iter().flat_map(|node| &node.output).cloned().collect();
    let read: HashSet<String> = graph
        .node
        .iter()
        .flat_map(|node| &node.input)
        .chain(graph.output.iter().map(|value| &value.name))
        .cloned()
        .collect();
    graph.initializer.retain(|tensor| read.contains(&tensor.name));
    graph.value_info.retain(|value| computed.contains(&value.name));
}

#[cfg(test)]
mod tests {
    use onnx_ir::{NodeProto, TensorProto, ValueInfoProto};

    use super::*;

    #[test]
    fn only_what_is_read_or_returned_stays() {
        let tensor = |name: &str| TensorProto { name: name.into(), ..TensorProto::default() };
        let value = |name: &str| ValueInfoProto { name: name.into(), ..ValueInfoProto::default() };
        let add = NodeProto {
            input: vec!["image".into(), "read".into()],
            output: vec!["sum".into()],
            ..NodeProto::default()
        };
        let mut graph = GraphProto {
            node: vec![add],
            initializer: ["read", "folded", "returned"].map(tensor).to_vec(),
            output: ["sum", "returned"].map(value).to_vec(),
            value_info: ["sum", "folded"].map(value).to_vec(),
            ..GraphProto::default()
        };

        remove(&mut graph);

        let names: Vec<_> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
        assert_eq!(names, ["read", "returned"]);
        let names: Vec<_> = graph.value_info.iter().map(|value| value.name.as_str()).collect();
        assert_eq!(names, ["sum"]);
    }
}
