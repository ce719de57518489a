//! `doctor`: shows which devices and engines this build and this machine have.

use roentgen_tasks::{device, engine};
use serde_json::json;

use crate::cli::version::COMMIT;
use crate::context::Context;
use crate::output::Output;

/// Reports version, devices, threads and engines.
pub(crate) fn run(context: &Context) -> Output {
    let version = env!("CARGO_PKG_VERSION");
    let threads = rayon::current_num_threads();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let backends = device::built_in();
    let runtime = engine::find();
    let engine = match &runtime {
        Ok(runtime) => {
            let (path, build) = (runtime.path().display(), runtime.build());
            format!(
                "ONNX Runtime for 100 or more films on the CPU, from {path} ({build}); otherwise \
                 Burn"
            )
        }
        Err(reason) => format!("Burn ({reason})"),
    };
    let cuda = device::cuda_lines();
    let gpus: String = cuda.iter().map(|line| format!("\n  {line}")).collect();
    let memory = roentgen_kernels::gpu_memory(&context.device);
    let chosen = memory.map_or_else(String::new, |memory| format!(", {memory}"));
    let gpus = if cuda.is_empty() { gpus } else { format!("\nNVIDIA GPUs:{gpus}") };
    let text = format!(
        "roentgen {version}, commit {COMMIT}\nbackends in this build: {}\nCPU kernels: {}\ndevice \
         chosen: {}{chosen}\nthreads: {threads} of {cores} cores\nengine of `predict`: {engine}{gpus}",
        backends.join(", "),
        roentgen_kernels::instruction_set(),
        context.device_name,
    );
    let json = json!({
        "version": version,
        "commit": COMMIT,
        "cpu_kernels": roentgen_kernels::instruction_set(),
        "backends": backends,
        "device": context.device_name,
        "cuda": cuda,
        "gpu_memory": memory.map(|memory| json!({
            "free_mib": memory.free >> 20,
            "total_mib": memory.total >> 20,
        })),
        "threads": threads,
        "cores": cores,
        "engines": if runtime.is_ok() { vec!["burn", "onnx"] } else { vec!["burn"] },
        "onnxruntime": match &runtime {
            Ok(runtime) => json!({ "path": runtime.path(), "build": runtime.build() }),
            Err(reason) => json!({ "missing": reason }),
        },
    });
    Output::done(text, json)
}
