import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createChannel, createServer } from "@tercel/grpc";
import { readRetryAfterMs } from "@tercel/grpc/errors";
import { createHealth } from "@tercel/grpc/services";
import { createCircuitBreaker } from "@tercel/interceptors/circuit-breaker";

// The health service, because it is included. It fails until it is repaired below.
const { service } = createHealth();
let isBroken = true;
let received = 0;
const server = createServer({
  routes(router) {
    router.service(service, {
      check() {
        received++;
        if (isBroken) throw new ConnectError("no database", Code.Unavailable);
        return { status: 1 };
      },
    });
  },
});
const { port } = await server.listen({ port: 0 });

const openMs = 300;
let reopened: () => void = () => {};
const breaker = createCircuitBreaker({
  failureThreshold: 3,
  openMs,
  halfOpenCalls: 1,
  onStateChange({ from, to }) {
    console.log(`the circuit was ${from} and is ${to}`);
    if (to === "open") setTimeout(() => reopened(), openMs + 50);
  },
});
const trialTime = new Promise<void>((resolve) => {
  reopened = resolve;
});
const channel = createChannel(`127.0.0.1:${port}`, { defaultTimeoutMs: 5000, interceptors: [breaker] });
const health = createClient(service, channel);

for (let call = 1; call <= 5; call++) {
  try {
    await health.check({});
  } catch (error) {
    const wait = readRetryAfterMs(error);
    console.log(
      `call ${call} failed;`,
      wait === undefined ? "the server said so" : "it was not sent; the error says when to try again",
    );
  }
}
console.log("calls that reached the server:", received);

isBroken = false;
await trialTime;
console.log("status", (await health.check({})).status);
await channel.close();
await server.close();
