//! Fuses ReLU6 into a single operation.
//!
//! Burn's exporter does not support a clamp, so the networks compute ReLU6 as
//! `6 - relu(6 - relu(x))`: six passes over memory, which no runtime fuses.

use std::collections::{HashMap, HashSet};

use onnx_ir::{GraphProto, NodeProto, TensorProto};

/// The operations of the networks, in order.
const CHAIN: [&str; 6] = ["Relu", "Neg", "Add", "Relu", "Neg", "Add"];
/// The limits of ReLU6.
const ENDS: [(&str, f32); 2] = [("relu6_low", 0.0), ("relu6_high", 6.0)];

/// Replaces each such chain with a `Clip` if nothing else reads its intermediate values.
pub(crate) fn fuse(graph: &mut GraphProto) {
    let sixes: HashSet<&str> =
        graph.initializer.iter().filter(|tensor| is_six(tensor)).map(|t| t.name.as_str()).collect();
    let mut readers: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, node) in graph.node.iter().enumerate() {
        node.input.iter().for_each(|name| readers.entry(name).or_default().push(index));
    }
    let outputs: HashSet<&str> = graph.output.iter().map(|value| value.name.as_str()).collect();
    let next = |index: usize| {
        let [output] = graph.node[index].output.as_slice() else { return None };
        let [reader] = readers.get(output.as_str())?.as_slice() else { return None };
        (!outputs.contains(output.as_str())).then_some(*reader)
    };
    let is_link = |index: usize, operation: &str| {
        let node = &graph.node[index];
        let adds_six = || node.input.iter().any(|name| sixes.contains(name.as_str()));
        node.op_type == operation && (operation != "Add" || adds_six())
    };
    let mut chains: Vec<Vec<usize>> = Vec::new();
    for first in 0..graph.node.len() {
        let mut chain = vec![first];
        while chain.len() < CHAIN.len() {
            match next(chain[chain.len() - 1]) {
                Some(index) => chain.push(index),
                None => break,
            }
        }
        let fits = chain.iter().zip(CHAIN).all(|(&index, operation)| is_link(index, operation));
        if chain.len() == CHAIN.len() && fits {
            chains.push(chain);
        }
    }

    let mut gone: HashSet<usize> = HashSet::new();
    for chain in &chains {
        let output = graph.node[chain[CHAIN.len() - 1]].output.clone();
        let relu: &mut NodeProto = &mut graph.node[chain[0]];
        relu.op_type = "Clip".to_owned();
        relu.input.extend(ENDS.map(|(name, _)| name.to_owned()));
        relu.output = output;
        gone.extend(&chain[1..]);
    }
    let mut index = 0;
    graph.node.retain(|_| {
        index += 1;
        !gone.contains(&(index - 1))
    });
    if !chains.is_empty() {
        graph.initializer.extend(ENDS.map(|(name, value)| TensorProto {
            name: name.to_owned(),
            data_type: 1,
            raw_data: value.to_le_bytes().to_vec().into(),
            ..TensorProto::default()
        }));
    }
}

/// Whether a constant is a single 6 in single precision.
fn is_six(tensor: &TensorProto) -> bool {
    tensor.data_type == 1
        && tensor.dims.iter().all(|&size| size == 1)
        && tensor.raw_data[..] == 6_f32.to_le_bytes()
}
