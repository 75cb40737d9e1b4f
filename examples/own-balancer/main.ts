import { createClient } from "@connectrpc/connect";
import { createChannel, createServer } from "@tercel/grpc";
import { type BalancerFactory, createReadyEndpointsBalancer, resultsOf, resultWithPlace } from "@tercel/grpc/balancing";
import type { ResolverFactory } from "@tercel/grpc/naming";
import { createHealth } from "@tercel/grpc/services";

// The health service, because it is included. Each server sends its location in a header.
const { service } = createHealth();
const servers = await Promise.all(
  ["near", "far"].map(async (place) => {
    const server = createServer({
      routes: (router) =>
        router.service(service, {
          check(_request, context) {
            context.responseHeader.set("x-place", place);
            return { status: 1 };
          },
        }),
    });
    const { host, port } = await server.listen({ port: 0 });
    return { server, address: { host, port }, distanceKm: place === "near" ? 10 : 9000 };
  }),
);

// A resolver finds the endpoints of a target, here in an array. It may add attributes to each, for balancers.
const atlas: ResolverFactory = {
  scheme: "atlas",
  create(_target, listener) {
    listener.onResult({
      endpoints: servers.map(({ address, distanceKm }) => ({
        addresses: [address],
        attributes: new Map([["distanceKm", distanceKm]]),
      })),
    });
    return { resolveNow() {}, close() {} };
  },
};

// A balancer chooses an endpoint for each call. This one chooses the nearest connected one.
const nearest: BalancerFactory = {
  policyName: "nearest",
  create: (host) =>
    createReadyEndpointsBalancer(host, {
      createPicker(ready) {
        const distance = (endpoint: (typeof ready)[number]): number =>
          Number(endpoint.endpoint.attributes?.get("distanceKm"));
        const results = resultsOf([...ready].sort((a, b) => distance(a) - distance(b)));
        return {
          dependsOnCall: false,
          pick: () => resultWithPlace(results, 0),
          describe: () => "every endpoint is full",
        };
      },
    }),
};

const channel = createChannel("atlas:///orders", {
  resolvers: [atlas],
  balancers: [nearest],
  defaultTimeoutMs: 5000,
  serviceConfig: { loadBalancingConfig: [{ nearest: {} }] },
});
const client = createClient(service, channel);
async function where(): Promise<string> {
  let place = "";
  const onHeader = (header: Headers): void => {
    place = header.get("x-place") ?? "";
  };
  await client.check({}, { onHeader });
  return place;
}

// The channel connects to both. It uses the first connection until the nearer server is connected.
while ((await where()) !== "near");
console.log("called:", await where());
await servers[0]?.server.close();
console.log("without that one:", await where());

await channel.close();
await servers[1]?.server.close();
