//! Models behind HTTP: films in, findings out.
