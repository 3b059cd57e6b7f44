//! Generators of networks, packets and conversations that every test shares.
