//! Descriptors of cuDNN's graph API: made, filled, finished, read and destroyed.

use cudarc::cudnn::sys::cudnnBackendAttributeName_t as Name;
use cudarc::cudnn::sys::cudnnBackendAttributeType_t as Kind;
use cudarc::cudnn::sys::cudnnBackendDescriptorType_t as Descriptor;
use cudarc::cudnn::sys::cudnnStatus_t as Status;
use cudarc::cudnn::sys::*;

/// Panics, with what cuDNN says, where a call failed.
#[track_caller]
pub(crate) fn ok(status: Status, what: &str) {
    assert_eq!(status, Status::CUDNN_STATUS_SUCCESS, "{what}: {}", last_error());
}

/// What cuDNN says of its last failure.
fn last_error() -> String {
    let mut text = vec![0_u8; 1024];
    // SAFETY: cuDNN writes at most `text.len()` bytes, and ends them with a zero.
    unsafe { cudnnGetLastErrorString(text.as_mut_ptr().cast(), text.len()) };
    let end = text.iter().position(|&letter| letter == 0).unwrap_or(0);
    String::from_utf8_lossy(&text[..end]).into_owned()
}

/// A descriptor that is destroyed when it is dropped.
pub(crate) struct Owned(pub(crate) cudnnBackendDescriptor_t);

impl Owned {
    pub(crate) unsafe fn new(kind: Descriptor) -> Self {
        let mut descriptor = std::ptr::null_mut();
        // SAFETY: writes one pointer.
        ok(unsafe { cudnnBackendCreateDescriptor(kind, &mut descriptor) }, "a descriptor");
        Self(descriptor)
    }

    /// `T` must be what `kind` says.
    pub(crate) unsafe fn set<T>(&self, name: Name, kind: Kind, values: &[T]) {
        // SAFETY: reads as many values as there are.
        let status = unsafe {
            cudnnBackendSetAttribute(
                self.0,
                name,
                kind,
                values.len() as i64,
                values.as_ptr().cast(),
            )
        };
        ok(status, "an attribute");
    }

    /// Reads an attribute into `values`, and returns how many there are; none where cuDNN does not tell. `T` must be what
    /// `kind` says.
    pub(crate) unsafe fn get<T>(&self, name: Name, kind: Kind, values: &mut [T]) -> Option<usize> {
        let mut count = 0;
        // SAFETY: writes at most as many values as there is room for.
        let status = unsafe {
            cudnnBackendGetAttribute(
                self.0,
                name,
                kind,
                values.len() as i64,
                &mut count,
                values.as_mut_ptr().cast(),
            )
        };
        (status == Status::CUDNN_STATUS_SUCCESS).then_some(count as usize)
    }

    /// Finishes the descriptor; false where cuDNN refuses it.
    pub(crate) unsafe fn is_accepted(&self) -> bool {
        // SAFETY: the descriptor lives.
        unsafe { cudnnBackendFinalize(self.0) == Status::CUDNN_STATUS_SUCCESS }
    }

    /// Finishes the descriptor, which cuDNN has to accept.
    pub(crate) unsafe fn finish(self, what: &str) -> Self {
        // SAFETY: the descriptor lives.
        ok(unsafe { cudnnBackendFinalize(self.0) }, what);
        self
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: made by `new`, destroyed once.
        unsafe { cudnnBackendDestroyDescriptor(self.0) };
    }
}

pub(crate) fn numbers<const N: usize>(values: [usize; N]) -> [i64; N] {
    values.map(|value| value as i64)
}

/// A tensor of `[batch, channels, height, width]` as rows of channels.
pub(crate) unsafe fn tensor(id: i64, dims: [usize; 4], kind: cudnnDataType_t) -> Owned {
    let [_, channels, height, width] = dims;
    let strides = [height * width * channels, 1, width * channels, channels];
    // SAFETY: each value has the type named beside it.
    unsafe {
        let made = Owned::new(Descriptor::CUDNN_BACKEND_TENSOR_DESCRIPTOR);
        made.set(Name::CUDNN_ATTR_TENSOR_UNIQUE_ID, Kind::CUDNN_TYPE_INT64, &[id]);
        made.set(Name::CUDNN_ATTR_TENSOR_DATA_TYPE, Kind::CUDNN_TYPE_DATA_TYPE, &[kind]);
        made.set(Name::CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, Kind::CUDNN_TYPE_INT64, &[16_i64]);
        made.set(Name::CUDNN_ATTR_TENSOR_DIMENSIONS, Kind::CUDNN_TYPE_INT64, &numbers(dims));
        made.set(Name::CUDNN_ATTR_TENSOR_STRIDES, Kind::CUDNN_TYPE_INT64, &numbers(strides));
        made.finish("a tensor")
    }
}
