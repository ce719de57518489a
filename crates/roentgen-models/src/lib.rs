//! x
use burn as _;
