// What a server writes when a call does not end as its client wished: refusals, deadlines, cancellation, shutdown.
import { Code, ConnectError } from "@connectrpc/connect";
import { createHealth } from "@tercel/grpc/services";
import { aborted, createOccasion } from "@tercel/test-support/async";
import { openRecordings } from "@tercel/test-support/golden";
import { type EchoHandlers, echoRoutes } from "../support/open-echo.ts";
import { framed } from "../support/raw-client.ts";
import { longText, requestHead, requestOf, sendUnary } from "./messages.ts";
import { openServer } from "./recorded-calls.ts";

const { record } = openRecordings(import.meta.filename);

const echo: EchoHandlers = {
  unary: ({ text }) => ({ text }),
  async *bidi(requests) {
    for await (const { text } of requests) yield { text };
  },
};

record("refused-heads", "requests that are refused by their head", async (transcript, test) => {
  const heads: Readonly<Record<string, Readonly<Record<string, string | undefined>>>> = {
    "by GET": { ":method": "GET" },
    "of another content-type": { "content-type": "application/json" },
    "without content-type": { "content-type": undefined },
    "for a method that is not served": { ":path": "/tercel.grpc.test.v1.EchoService/Nope" },
    "for a service that is not served": { ":path": "/a.B/C" },
    "for a path of another form": { ":path": "/Unary" },
    "with a time-out that cannot be read": { "grpc-timeout": "10" },
    "with a time-out of zero": { "grpc-timeout": "0n" },
    "in an encoding that is not known": { "grpc-encoding": "br" },
    "with a binary value that is not base64": { "x-bytes-bin": "!!!" },
    "with too much metadata": { "x-long": "l".repeat(1500) },
  };
  const { peer, step } = await openServer(test, transcript, { routes: echoRoutes(echo), maxMetadataBytes: 1000 });
  let id = -1;
  for (const [what, fields] of Object.entries(heads)) {
    id += 2;
    await step(what, () => peer.sendHeaders(id, requestHead("Unary", fields), { endStream: true }));
  }
  await step("before its end", () => peer.sendHeaders(id + 2, requestHead("Nope")));
  await step("what crosses that", () => peer.sendData(id + 2, requestOf("late"), { endStream: true }));
});

record("refused-messages", "requests that are refused by their message", async (transcript, test) => {
  const bodies: Readonly<Record<string, Uint8Array>> = {
    "larger than the limit": framed(new Uint8Array(0), 0, 101),
    "with a flag of two": framed(new Uint8Array(1), 2),
    "compressed without an encoding": framed(new Uint8Array(1), 1),
    "not protobuf": framed(Uint8Array.of(0xff, 0xff, 0xff)),
    "cut off": requestOf("hello").subarray(0, 8),
    "of no message": new Uint8Array(0),
    "of two messages": Buffer.concat([requestOf("one"), requestOf("two")]),
  };
  const options = { routes: echoRoutes(echo), maxReceiveMessageBytes: 100 };
  const { peer, step } = await openServer(test, transcript, options);
  let id = -1;
  for (const [what, body] of Object.entries(bodies)) {
    id += 2;
    await step(what, () => {
      peer.sendHeaders(id, requestHead("Unary"));
      peer.sendData(id, body, { endStream: true });
    });
  }
  await step("in a stream that stays open", () => {
    peer.sendHeaders(id + 2, requestHead("Bidi"));
    peer.sendData(id + 2, bodies["with a flag of two"] as Uint8Array);
  });
});

record(
  "response-limits",
  "responses that are larger than the server or the client allows",
  async (transcript, test) => {
    const routes = echoRoutes({
      unary({ text }, { responseTrailer }) {
        if (text === "large") return { text: longText };
        responseTrailer.set("x-long", longText);
        throw new ConnectError(text, Code.Aborted, { "x-why": longText });
      },
    });
    const options = { routes, maxSendMessageBytes: 1000 };
    const { peer, step } = await openServer(test, transcript, options, { settings: { maxHeaderListSize: 500 } });
    await step("a message", () => sendUnary(peer, 1, "large"));
    await step("trailers", () => sendUnary(peer, 3, "small"));
  },
);

record("deadlines", "calls whose deadline passes", async (transcript, test) => {
  const routes = echoRoutes({
    async unary({ text }, { signal }) {
      await aborted(signal);
      if (text === "late") return {};
      throw signal.reason;
    },
    async *serverStream(_request, { signal }) {
      yield { text: "one" };
      await aborted(signal);
      yield { text: "too late" };
    },
  });
  const { peer, step, clock } = await openServer(test, transcript, { routes, maxTimeoutMs: 5000 });
  await step("a unary call of one second, one without a deadline, a stream of responses", () => {
    sendUnary(peer, 1, "late", { "grpc-timeout": "1S" });
    sendUnary(peer, 3, "early");
    peer.sendHeaders(5, requestHead("ServerStream", { "grpc-timeout": "2000m" }));
    peer.sendData(5, requestOf(""), { endStream: true });
  });
  for (const ms of [999, 1, 1000, 3000]) await step(`${ms} ms later`, () => clock.advance(ms));
});

record("cancelled-calls", "calls that the client cancels", async (transcript, test) => {
  const release = createOccasion();
  const routes = echoRoutes({
    async unary() {
      await release.happened;
      return { text: "not wanted" };
    },
    async *bidi(requests) {
      for await (const { text } of requests) yield { text };
    },
  });
  const { peer, step } = await openServer(test, transcript, { routes, maxConcurrentStreams: 2 });
  await step("a unary call and a stream", () => {
    sendUnary(peer, 1, "hello");
    peer.sendHeaders(3, requestHead("Bidi"));
    peer.sendData(3, requestOf("hello"));
  });
  await step("a third, which is one too many", () => sendUnary(peer, 5, "hello"));
  await step("both are reset", () => {
    for (const id of [1, 3]) peer.sendReset(id, 8);
  });
  await step("a message that crosses that", () => peer.sendData(3, requestOf("late")));
  await step("the handler ends", () => release.happen());
  await step("a call after all that", () => sendUnary(peer, 7, "hello"));
});

record("large-messages", "messages that are larger than a frame or a window", async (transcript, test) => {
  const payload = new Uint8Array(40_000).fill(7);
  const routes = echoRoutes({
    unary: ({ text }) => ({ text, payload }),
    async *serverStream() {
      for (let i = 0; i < 3; i++) yield { payload };
    },
  });
  const { peer, step } = await openServer(test, transcript, { routes });
  await step("a response of three frames", () => sendUnary(peer, 1, "large"));
  await step("a stream of messages that waits for the connection's window", () => {
    peer.sendHeaders(3, requestHead("ServerStream"));
    peer.sendData(3, requestOf(""), { endStream: true });
  });
  await step("a small response after it", () => sendUnary(peer, 5, "x"));
  await step("the connection's window opens, the stream's does not", () => peer.sendWindowUpdate(0, 1_000_000));
  await step("the stream's opens", () => peer.sendWindowUpdate(3, 1_000_000));
  await step("a request of 30 KiB in 16 KiB frames", () => {
    const message = requestOf("r".repeat(30_000));
    peer.sendHeaders(7, requestHead("Unary"));
    peer.sendData(7, message.subarray(0, 16_384));
    peer.sendData(7, message.subarray(16_384), { endStream: true });
  });
});

record("health", "the health service", async (transcript, test) => {
  const health = createHealth();
  health.setStatus("", "SERVING");
  const { peer, step } = await openServer(test, transcript, { routes: health.routes });
  const ask = (id: number, method: string, service: string): void => {
    const message =
      service === "" ? Buffer.alloc(0) : Buffer.concat([Buffer.of(10, service.length), Buffer.from(service)]);
    peer.sendHeaders(id, requestHead("", { ":path": `/grpc.health.v1.Health/${method}` }));
    peer.sendData(id, framed(message), { endStream: true });
  };
  await step("Check of the server", () => ask(1, "Check", ""));
  await step("Check of a service that is not known", () => ask(3, "Check", "a.B"));
  await step("Watch of the same", () => ask(5, "Watch", "a.B"));
  await step("it serves", () => health.setStatus("a.B", "SERVING"));
  await step("and not", () => health.setStatus("a.B", "NOT_SERVING"));
  await step("shutdown", () => {
    health.shutdown();
    health.endWatches();
  });
});

record("shutdown", "a server that closes with calls under way", async (transcript, test) => {
  const release = createOccasion();
  const routes = echoRoutes({
    async unary({ text }, { signal }) {
      await (text === "stuck" ? aborted(signal) : release.happened);
      return { text };
    },
  });
  const { peer, step, server, clock } = await openServer(test, transcript, { routes });
  await step("two calls", () => {
    sendUnary(peer, 1, "ends");
    sendUnary(peer, 3, "stuck");
  });
  let closing: Promise<void> | undefined;
  await step("close", () => {
    closing = server.close({ deadlineMs: 10_000 });
  });
  await step("a call that crosses that, and the acknowledgement of the ping", () => {
    sendUnary(peer, 5, "ends");
    peer.sendPing("0000000000000001", { ack: true });
  });
  await step("their handlers end", () => release.happen());
  await step("10 s later", () => clock.advance(10_000));
  await closing;
});

record("too-many-pings", "clients that ping too often, with and without calls", async (transcript, test) => {
  transcript.connection("without calls");
  const idle = await openServer(test, transcript, { routes: echoRoutes(echo) });
  await idle.step("a ping", () => idle.peer.sendPing());
  await idle.step("a call between", () => sendUnary(idle.peer, 1, "hello"));
  for (const which of ["second", "third", "fourth"]) await idle.step(`a ${which} ping`, () => idle.peer.sendPing());
  await idle.step("a fifth", () => idle.peer.sendPing());
  transcript.connection("during a call");
  const busy = await openServer(test, transcript, { routes: echoRoutes(echo) });
  await busy.step("a call that stays open, and a ping", () => {
    busy.peer.sendHeaders(1, requestHead("Bidi"));
    busy.peer.sendPing();
  });
  for (let i = 0; i < 3; i++) {
    await busy.step("5 minutes later", () => busy.clock.advance(5 * 60_000));
    await busy.step("a ping in time", () => busy.peer.sendPing());
  }
  for (let i = 0; i < 3; i++) await busy.step("a ping that is too early", () => busy.peer.sendPing());
});
