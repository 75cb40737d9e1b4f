// Registers an instance with the etcd at the given address, then exits without deregistering, as a killed process does.
import { createEtcdRegistry } from "@tercel/discovery/etcd";

const registry = createEtcdRegistry({ endpoints: [process.argv[2] ?? ""], leaseMs: 2000 });
await registry.register({ name: "dies", id: "one", address: "127.0.0.1", port: 1 });
process.stdout.write("registered\n", () => process.exit(0));
