//! Why no DICOM object can be made of a film.

use dicom_core::Tag;

/// Why no DICOM object can be made of a film. The caller knows which film.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An element is missing without which nothing can refer to the film.
    #[error("its header has no {name} {tag}, so no report can refer to the film")]
    Missing {
        /// The element.
        tag: Tag,
        /// Its name.
        name: &'static str,
    },
    /// An element has a value that it cannot have.
    #[error("the element {tag} of its header is damaged: {what}")]
    Damaged {
        /// The element.
        tag: Tag,
        /// What is wrong.
        what: &'static str,
    },
    /// Text in the picture cannot be removed.
    #[error(
        "its header says that text is burned into the picture (Burned In Annotation is YES), which \
         `--de-identify` cannot remove"
    )]
    BurnedIn,
    /// A picture and the film differ in size.
    #[error("the picture has {found:?} rows and columns, and the film has {expected:?}")]
    Size {
        /// Of the film, `[rows, columns]`.
        expected: [u32; 2],
        /// Of the picture.
        found: [u32; 2],
    },
    /// The object could not be encoded.
    #[error("the DICOM object could not be encoded")]
    Encode(#[source] Box<dyn std::error::Error + Send + Sync>),
}
