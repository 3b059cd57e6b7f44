//! What a packet meets in a cloud network: stages, connection tracking, NAT.
