//! A cloud network as people declare it: YAML with spans, validation, JSON Schema.
