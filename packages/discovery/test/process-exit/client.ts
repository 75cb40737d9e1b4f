// A client that finds its server in a registry and closes nothing: node client.ts REGISTRY.
import { createClient } from "@connectrpc/connect";
import { createDiscoveryResolver } from "@tercel/discovery";
import { createEmbeddedRegistry } from "@tercel/discovery/embedded";
import { createChannel } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";

const registry = createEmbeddedRegistry({ target: process.argv[2] ?? "" });
const channel = createChannel("discovery:///health", { resolvers: [createDiscoveryResolver(registry)] });
const { status } = await createClient(createHealth().service, channel).check({});
console.log(`answered ${status}`);
