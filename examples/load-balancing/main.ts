import { createClient } from "@connectrpc/connect";
import { createChannel, createServer } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";

// The health service, because it is included. Each server sends its name in a header.
const { service } = createHealth();
const servers = await Promise.all(
  ["one", "two", "three"].map(async (name) => {
    const server = createServer({
      routes: (router) =>
        router.service(service, {
          check(_request, context) {
            context.responseHeader.set("x-server", name);
            return { status: 1 };
          },
        }),
    });
    const { port } = await server.listen({ port: 0 });
    return { server, name, address: `127.0.0.1:${port}` };
  }),
);
const target = `static:///${servers.map(({ address }) => address).join(",")}`;

async function use(
  policy: Record<string, Record<string, string | number>>,
  run: (ask: Ask) => Promise<void>,
): Promise<void> {
  const serviceConfig = { loadBalancingConfig: [policy] };
  const channel = createChannel(target, { serviceConfig, defaultTimeoutMs: 5000 });
  const client = createClient(service, channel);
  await run(async (headers = {}) => {
    let name = "";
    const onHeader = (header: Headers): void => {
      name = header.get("x-server") ?? "";
    };
    await client.check({}, { headers, onHeader });
    return name;
  });
  await channel.close();
}
type Ask = (headers?: Record<string, string>) => Promise<string>;

/** Waits until the policy has connected to all servers. Until then, it calls those that are connected. */
async function untilAllAnswer(ask: Ask): Promise<void> {
  const seen = new Set<string>();
  while (seen.size < servers.length) seen.add(await ask());
}

await use({ round_robin: {} }, async (ask) => {
  await untilAllAnswer(ask);
  const names = [await ask(), await ask(), await ask()];
  console.log("round_robin, three calls:", names.sort().join(" "));
});

await use({ least_request: {} }, async (ask) => {
  await untilAllAnswer(ask);
  const answers = await Promise.all(Array.from({ length: 300 }, () => ask()));
  // It takes two servers at random and chooses the one with fewer calls, which is nearly as even as calling them in turn.
  const most = Math.max(...servers.map(({ name }) => answers.filter((answer) => answer === name).length));
  console.log(`least_request, 300 calls at once: ${most <= 110 ? "no server has over 110" : `one server has ${most}`}`);
});

await use({ ring_hash: { requestHashHeader: "x-user" } }, async (ask) => {
  const ofAda = new Set<string>();
  for (let call = 0; call < 10; call++) ofAda.add(await ask({ "x-user": "ada" }));
  const ofAll = new Set<string>();
  for (let user = 0; user < 100; user++) ofAll.add(await ask({ "x-user": `user ${user}` }));
  console.log(`ring_hash: ten calls of one user reach ${ofAda.size} server, those of a hundred users ${ofAll.size}`);
});

await Promise.all(servers.map(({ server }) => server.close()));
