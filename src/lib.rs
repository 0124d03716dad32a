//! PandoDB.
