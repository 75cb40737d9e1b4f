// What a client writes when a call or a connection does not end as it should: resets, retries, pings, GOAWAY.
import { Code } from "@connectrpc/connect";
import type { ScriptedPeer } from "@tercel/http2/testing";
import { collect } from "@tercel/test-support/async";
import { openRecordings } from "@tercel/test-support/golden";
import { framed } from "../support/raw-client.ts";
import { okHead, okTrailers, responseOf, sendResponse } from "./messages.ts";
import { openClient, shakeHands } from "./recorded-calls.ts";

const { record } = openRecordings(import.meta.filename);

/** A call whose outcome does not matter here: it is what the client writes that counts. */
function start(call: Promise<unknown>): void {
  call.catch(() => {});
}

const trailersOnly = (code: Code, message: string): string[] => [
  ...okHead,
  "grpc-status",
  String(code),
  "grpc-message",
  message,
];

record("cancelled-calls", "calls that are cancelled or whose deadline passes", async (transcript, test) => {
  const { peer, step, client, clock } = await openClient(test, transcript);
  const cancel = new AbortController();
  await step("a unary call and a stream", () => {
    start(client.unary({ text: "hello" }, { signal: cancel.signal }));
    start(collect(client.serverStream({ text: "hello" }, { signal: cancel.signal })));
  });
  await step("the stream begins", () => {
    peer.sendHeaders(3, okHead);
    peer.sendData(3, responseOf("one"));
  });
  await step("both are cancelled", () => cancel.abort());
  await step("a response that crosses that", () => sendResponse(peer, 1, "hello"));
  await step("a call that is cancelled in the turn it is made", () => {
    const early = new AbortController();
    start(client.unary({ text: "never" }, { signal: early.signal }));
    early.abort();
  });
  await step("a call of one second", () => start(client.unary({}, { timeoutMs: 1000 })));
  await step("one second later", () => clock.advance(1000));
});

record("responses", "responses that end a call before its request, or are not in order", async (transcript, test) => {
  const responses: Readonly<Record<string, (peer: ScriptedPeer, id: number) => void>> = {
    "a head alone with an error": (peer, id) =>
      peer.sendHeaders(id, trailersOnly(Code.NotFound, "gone"), { endStream: true }),
    "a reset with REFUSED_STREAM, which is tried once more": (peer, id) => peer.sendReset(id, 7),
    "another HTTP status": (peer, id) => {
      peer.sendHeaders(id, [":status", "503", "content-type", "text/html"]);
      peer.sendData(id, "<h1>sorry</h1>");
    },
    "another content-type": (peer, id) => peer.sendHeaders(id, [":status", "200", "content-type", "text/html"]),
    "no status": (peer, id) => {
      peer.sendHeaders(id, okHead);
      peer.sendData(id, responseOf("hello"), { endStream: true });
    },
    "two messages": (peer, id) => sendResponse(peer, id, "one", "two"),
    "a message over the limit": (peer, id) => {
      peer.sendHeaders(id, okHead);
      peer.sendData(id, framed(new Uint8Array(0), 0, 101));
    },
    "a message that is not protobuf": (peer, id) => {
      peer.sendHeaders(id, okHead);
      peer.sendData(id, framed(Uint8Array.of(0xff, 0xff)));
    },
    "a flag of two": (peer, id) => {
      peer.sendHeaders(id, okHead);
      peer.sendData(id, framed(new Uint8Array(1), 2));
    },
  };
  const { peer, step, client } = await openClient(test, transcript, { maxReceiveMessageBytes: 100 });
  let id = 1;
  for (const [what, respond] of Object.entries(responses)) {
    await step("a call", () => start(client.unary({ text: "hello" })));
    await step(what, () => respond(peer, id));
    // The refused call has taken another stream.
    if (what.includes("REFUSED")) {
      id += 2;
      await step("its response", () => sendResponse(peer, id, "hello"));
    }
    id += 2;
  }
});

record("retries", "calls that are repeated", async (transcript, test) => {
  const retryPolicy = {
    maxAttempts: 3,
    initialBackoff: "0.1s",
    maxBackoff: "1s",
    backoffMultiplier: 2,
    retryableStatusCodes: ["UNAVAILABLE"],
  };
  const serviceConfig = { methodConfig: [{ name: [{}], retryPolicy }] };
  const { peer, step, client, clock } = await openClient(test, transcript, { serviceConfig, random: () => 0.5 });
  await step("a call", () => start(client.unary({ text: "hello" }, { timeoutMs: 10_000, headers: { "x-id": "1" } })));
  for (const [id, pauseMs] of [
    [1, 100],
    [3, 200],
  ] as const) {
    await step("it fails", () => peer.sendHeaders(id, trailersOnly(Code.Unavailable, "not now"), { endStream: true }));
    await step(`${pauseMs} ms later`, () => clock.advance(pauseMs));
  }
  await step("the response", () => sendResponse(peer, 5, "hello"));
});

record("goaway", "a server that goes away, and a call that it has not acted on", async (transcript, test) => {
  const { peer, step, client, nextConnection } = await openClient(test, transcript);
  await step("two calls", () => {
    for (const text of ["served", "not served"]) start(client.unary({ text }));
  });
  const next = nextConnection();
  await step("GOAWAY that names the first, and its response", () => {
    peer.sendGoaway(1, 0, "max_age");
    sendResponse(peer, 1, "served");
  });
  const second = await next;
  await shakeHands(second);
  await second.step("the response", () => sendResponse(second.peer, 1, "served after all"));
});

record("keepalive", "a channel's pings", async (transcript, test) => {
  const keepalive = { timeMs: 10_000, timeoutMs: 5000 };
  const { peer, step, client, clock } = await openClient(test, transcript, { keepalive });
  await step("a call", () => start(client.unary({})));
  await step("11 s later", () => clock.advance(11_000));
  await step("the acknowledgement", () => peer.sendPing("0000000000000001", { ack: true }));
  await step("11 s later", () => clock.advance(11_000));
  await step("5 s later", () => clock.advance(5000));
});

record("close", "channels that close", async (transcript, test) => {
  transcript.connection("with a call under way");
  const first = await openClient(test, transcript);
  await first.step("a call", () => start(first.client.unary({})));
  await first.step("close", () => void first.channel.close());
  await first.step("its response", () => sendResponse(first.peer, 1, "hello"));
  transcript.connection("without calls for 30 minutes");
  const idle = await openClient(test, transcript);
  await idle.step("a call", () => start(idle.client.unary({})));
  await idle.step("its response", () => sendResponse(idle.peer, 1, "hello"));
  await idle.step("30 minutes later", () => idle.clock.advance(30 * 60_000));
});

record("health-watch", "a channel that watches the health of its server", async (transcript, test) => {
  const serviceConfig = { loadBalancingConfig: [{ round_robin: {} }], healthCheckConfig: { serviceName: "a.B" } };
  const { peer, step, client } = await openClient(test, transcript, { serviceConfig }, { fromFirstByte: true });
  await step("a call waits for the server to serve", () => start(client.unary({ text: "hello" })));
  await step("it serves", () => {
    peer.sendHeaders(1, okHead);
    peer.sendData(1, framed(Uint8Array.of(8, 1)));
  });
  await step("the response, and the end of the watch", () => {
    sendResponse(peer, 3, "hello");
    peer.sendHeaders(1, okTrailers, { endStream: true });
  });
});
