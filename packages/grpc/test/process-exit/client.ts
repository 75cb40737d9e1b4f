// A client that closes its channel in one mode only: node client.ts MODE TARGET. Prints what happens; the last line is how long the process
// lived after that.
import { createClient } from "@connectrpc/connect";
import { type ChannelOptions, createChannel } from "@tercel/grpc";
import { Health } from "../../src/gen/grpc/health/v1/health_pb.ts";

const [mode, target = ""] = process.argv.slice(2);

/** Everything that works in the background: pings, health watches, ejection, a name to resolve again. */
const busy: ChannelOptions = {
  keepalive: { timeMs: 10_000, permitWithoutCalls: true },
  serviceConfig: {
    loadBalancingConfig: [
      { outlier_detection: { interval: "1s", failurePercentageEjection: {}, childPolicy: [{ round_robin: {} }] } },
    ],
    healthCheckConfig: { serviceName: "" },
  },
};

const channel = createChannel(target, mode === "busy" ? busy : { waitForReady: mode === "wait" });
const client = createClient(Health, channel);

let saidLastAtMs = 0;
function say(line: string): void {
  saidLastAtMs = performance.now();
  console.log(line);
}
process.on("exit", () => console.log(Math.round(performance.now() - saidLastAtMs)));

if (mode === "watch") {
  try {
    for await (const { status } of client.watch({})) say(`open ${status}`);
  } catch {
    say("ended");
  }
} else {
  if (mode === "wait") {
    const look = setInterval(() => {
      if (channel.state !== "transient_failure") return;
      say("refused");
      clearInterval(look);
    }, 10);
    look.unref();
  }
  const { status } = await client.check({});
  say(`answered ${status}`);
  if (mode === "close") {
    await Promise.all([client.check({}).catch(() => {}), channel.close({ deadlineMs: 0 })]);
    say("closed");
  }
}
