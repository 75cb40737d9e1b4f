import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createChannel, createServer } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";

// The health service, because it is included. The third server is reachable, but fails every call.
const { service } = createHealth();
const servers = [true, true, false].map((works) =>
  createServer({
    routes: (router) =>
      router.service(service, {
        check() {
          if (!works) throw new ConnectError("the disk is full", Code.Internal);
          return { status: 1 };
        },
      }),
  }),
);
const addresses = await Promise.all(servers.map((server) => server.listen({ port: 0 })));

const channel = createChannel(`static:///${addresses.map(({ host, port }) => `${host}:${port}`).join(",")}`, {
  defaultTimeoutMs: 5000,
  serviceConfig: {
    loadBalancingConfig: [
      {
        outlier_detection: {
          // Checks every 0.2 s, and ejects an endpoint that failed half of at least five calls. In production 10 s is usual.
          interval: "0.2s",
          failurePercentageEjection: { threshold: 50, minimumHosts: 3, requestVolume: 5 },
          // One of three. The default is a tenth of the endpoints.
          maxEjectionPercent: 34,
          childPolicy: [{ round_robin: {} }],
        },
      },
    ],
  },
});
const client = createClient(service, channel);
const failures = async (calls: number): Promise<number> => {
  let failed = 0;
  for (let call = 0; call < calls; call++) await client.check({}).catch(() => failed++);
  return failed;
};

while ((await failures(3)) === 0);
console.log("a call in three fails");
while ((await failures(30)) > 0);
console.log("the third server is left out: 0 of 30 calls fail");
await channel.close();
await Promise.all(servers.map((server) => server.close()));
