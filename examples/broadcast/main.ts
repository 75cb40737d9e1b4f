import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createBackoff, createChannel, createServer } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";
import { createBroadcaster, createReconnectingStream } from "@tercel/interceptors/streams";

// The health service, because it is included and has a stream.
const { service } = createHealth();
const changes = createBroadcaster<{ status: 1 | 2 }>({ whenSlow: "disconnect", maxBuffered: 100 });
let streams = 0;
const server = createServer({
  routes: (router) => {
    router.service(service, {
      async *watch(_request, context) {
        const stream = ++streams;
        for await (const change of changes.subscribe({ signal: context.signal })) {
          yield change;
          if (stream === 1) throw new ConnectError("the first stream breaks off", Code.Unavailable);
        }
      },
    });
  },
});
const { port } = await server.listen({ port: 0 });
const channel = createChannel(`127.0.0.1:${port}`);
const client = createClient(service, channel);

const messages = createReconnectingStream({
  open: (after: number | undefined, signal) => client.watch({ service: `after ${after ?? "nothing"}` }, { signal }),
  tokenOf: ({ status }) => status,
  backoff: createBackoff({ initialDelayMs: 10 }),
  onReconnect: ({ error, token }) => console.log(`${error?.rawMessage}; continuing after ${token}`),
});

// Publishes until the client has received everything. Messages between two streams are lost, because nothing is stored.
const publishing = setInterval(() => changes.publish({ status: 1 }), 5);
let received = 0;
for await (const { status } of messages) {
  console.log("received", status);
  if (++received === 2) break;
}
clearInterval(publishing);
changes.close();
await channel.close();
await server.close();
console.log("subscribers left:", changes.subscribers);
