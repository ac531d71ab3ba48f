//! Real Kubernetes control planes, Helm binaries and seeded fleets on loopback, for tests and demos.
