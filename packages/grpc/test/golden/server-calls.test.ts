// What a server writes for each kind of call: heads, messages, trailers, and which of them share a write.
import { gzipSync } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import { createOccasion } from "@tercel/test-support/async";
import { openRecordings } from "@tercel/test-support/golden";
import { EchoRequestSchema } from "../gen/tercel/grpc/test/v1/echo_pb.ts";
import { echoRoutes } from "../support/open-echo.ts";
import { framed } from "../support/raw-client.ts";
import { longText, requestHead, requestOf, sendUnary } from "./messages.ts";
import { openServer } from "./recorded-calls.ts";

const { record } = openRecordings(import.meta.filename);

record("unary", "unary calls, the connection's first bytes included", async (transcript, test) => {
  const routes = echoRoutes({
    unary: ({ text }, { responseHeader, responseTrailer }) => {
      if (text === "with metadata") {
        responseHeader.set("x-head", "1");
        responseTrailer.set("x-end", "2");
      }
      return { text };
    },
  });
  const { peer, step } = await openServer(test, transcript, { routes }, { fromFirstByte: true });
  await step("a call", () => sendUnary(peer, 1, "hello"));
  await step("the same twice in one chunk", () => {
    sendUnary(peer, 3, "hello");
    sendUnary(peer, 5, "hello");
  });
  await step("with metadata in the response", () => sendUnary(peer, 7, "with metadata"));
  await step("again", () => sendUnary(peer, 9, "with metadata"));
  await step("an empty message", () => sendUnary(peer, 11, ""));
  await step("a request in pieces", () => peer.sendHeaders(13, requestHead("Unary")));
  await step("its message's first half", () => peer.sendData(13, requestOf("in pieces").subarray(0, 7)));
  await step("and the second", () => peer.sendData(13, requestOf("in pieces").subarray(7), { endStream: true }));
});

record("asynchronous-handlers", "many unary calls whose handlers end in different turns", async (transcript, test) => {
  const release = createOccasion();
  const routes = echoRoutes({
    async unary({ text }) {
      if (text === "later") await release.happened;
      for (let i = 0; i < Number(text); i++) await Promise.resolve();
      return { text };
    },
  });
  const { peer, step } = await openServer(test, transcript, { routes });
  await step("six calls in one chunk, one of which waits", () => {
    ["3", "0", "later", "1", "5", "2"].forEach((text, at) => {
      sendUnary(peer, 2 * at + 1, text);
    });
  });
  await step("it continues, while another call comes", () => {
    release.happen();
    sendUnary(peer, 13, "0");
  });
});

record("server-streaming", "a stream of responses", async (transcript, test) => {
  const more = createOccasion();
  const routes = echoRoutes({
    async *serverStream({ text }, { responseHeader }) {
      if (text === "nothing") return;
      responseHeader.set("x-head", "1");
      yield { text: "one" };
      yield { text: "two" };
      await more.happened;
      yield { text: "three" };
    },
  });
  const { peer, step } = await openServer(test, transcript, { routes });
  const call = (id: number, text: string): void => {
    peer.sendHeaders(id, requestHead("ServerStream"));
    peer.sendData(id, requestOf(text), { endStream: true });
  };
  await step("two messages at once", () => call(1, ""));
  await step("the third", () => more.happen());
  await step("no message", () => call(3, "nothing"));
});

record("client-streaming", "a stream of requests", async (transcript, test) => {
  const routes = echoRoutes({
    async clientStream(requests) {
      let count = 0;
      for await (const { text } of requests) {
        count++;
        if (text === "enough") break;
      }
      return { count };
    },
  });
  const { peer, step } = await openServer(test, transcript, { routes });
  await step("a head alone", () => peer.sendHeaders(1, requestHead("ClientStream")));
  await step("two messages in one frame", () => peer.sendData(1, Buffer.concat([requestOf("a"), requestOf("b")])));
  await step("the last, and the end", () => peer.sendData(1, requestOf("c"), { endStream: true }));
  await step("no message", () => peer.sendHeaders(3, requestHead("ClientStream"), { endStream: true }));
  await step("a response before the end of the requests", () => {
    peer.sendHeaders(5, requestHead("ClientStream"));
    peer.sendData(5, requestOf("enough"));
  });
});

record("bidi-streaming", "streams both ways", async (transcript, test) => {
  const routes = echoRoutes({
    async *bidi(requests) {
      for await (const { text } of requests) {
        yield { text };
        if (text === "twice") yield { text };
        if (text === "fail") throw new ConnectError("as asked", Code.Aborted);
      }
    },
  });
  const { peer, step } = await openServer(test, transcript, { routes });
  await step("a head alone", () => peer.sendHeaders(1, requestHead("Bidi")));
  await step("a message", () => peer.sendData(1, requestOf("hello")));
  await step("three at once", () => {
    peer.sendData(1, Buffer.concat(["twice", "a", "b"].map(requestOf)));
  });
  await step("the end of the requests", () => peer.sendData(1, "", { endStream: true }));
  await step("an error after a message", () => {
    peer.sendHeaders(3, requestHead("Bidi"));
    peer.sendData(3, Buffer.concat([requestOf("fail"), requestOf("never read")]));
  });
});

record("errors", "errors with and without details", async (transcript, test) => {
  const routes = echoRoutes({
    unary({ text }) {
      if (text === "thrown") throw new Error("a secret of the server");
      const metadata = { "x-why": "because", "x-why-bin": "AAEC" };
      const detail = { desc: EchoRequestSchema, value: { text: "a detail" } };
      throw new ConnectError(text, Code.NotFound, metadata, text === "details" ? [detail] : []);
    },
    async *serverStream() {
      yield { text: "one" };
      throw new ConnectError("50 % größer\n", Code.OutOfRange);
    },
  });
  const { peer, step } = await openServer(test, transcript, { routes });
  await step("a status", () => sendUnary(peer, 1, "not there"));
  await step("with details", () => sendUnary(peer, 3, "details"));
  await step("an error that is not a ConnectError", () => sendUnary(peer, 5, "thrown"));
  await step("after a message, with a text that has to be escaped", () => {
    peer.sendHeaders(7, requestHead("ServerStream"));
    peer.sendData(7, requestOf(""), { endStream: true });
  });
  await step("a method without handler", () => peer.sendHeaders(9, requestHead("Bidi"), { endStream: true }));
});

record("interceptors", "the same calls with an interceptor", async (transcript, test) => {
  const { peer, step } = await openServer(test, transcript, {
    routes: echoRoutes({
      unary: ({ text }) => ({ text }),
      async *serverStream() {
        yield { text: "one" };
        yield { text: "two" };
      },
    }),
    interceptors: [
      (next) => async (request) => {
        const response = await next(request);
        response.header.set("x-intercepted", "head");
        response.trailer.set("x-intercepted", "end");
        return response;
      },
    ],
  });
  await step("unary", () => sendUnary(peer, 1, "hello"));
  await step("a stream of responses", () => {
    peer.sendHeaders(3, requestHead("ServerStream"));
    peer.sendData(3, requestOf(""), { endStream: true });
  });
});

record("metadata", "metadata both ways, with binary values", async (transcript, test) => {
  const routes = echoRoutes({
    unary(_request, { requestHeader, responseHeader, responseTrailer }) {
      for (const name of ["x-text", "x-bytes-bin", "x-list", "x-list-bin"]) {
        responseHeader.set(name, requestHeader.get(name) ?? "");
        responseTrailer.append(`trailing-${name}`, requestHeader.get(name) ?? "");
      }
      return {};
    },
  });
  const { peer, step } = await openServer(test, transcript, { routes });
  await step("a call", () => {
    const fields = ["x-text", "a  b", "x-bytes-bin", "AAH/", "x-list", "1", "x-list", "2", "x-list-bin", "AA==,AQ"];
    peer.sendHeaders(1, [...requestHead("Unary"), ...fields]);
    peer.sendData(1, requestOf(""), { endStream: true });
  });
});

record("json", "messages as JSON", async (transcript, test) => {
  const routes = echoRoutes({ unary: ({ text, count }) => ({ text, count }) });
  const { peer, step } = await openServer(test, transcript, { routes });
  await step("a call", () => {
    const message = Buffer.from('{"text":"hello","count":7}');
    peer.sendHeaders(1, requestHead("Unary", { "content-type": "application/grpc+json" }));
    peer.sendData(1, Buffer.concat([Buffer.of(0, 0, 0, 0, message.length), message]), { endStream: true });
  });
});

record("gzip", "compressed requests and responses", async (transcript, test) => {
  const routes = echoRoutes({ unary: ({ text }) => ({ text: text.repeat(text === "repeat" ? 200 : 1) }) });
  const { peer, step, hasEnded } = await openServer(test, transcript, { routes, compressMinBytes: 1024 });
  const accepting = { "grpc-accept-encoding": "identity,gzip" };
  const ended = (): boolean => hasEnded(1);
  await step("a small response", () => sendUnary(peer, 1, "small", accepting), ended);
  await step("a large one", () => sendUnary(peer, 3, longText, accepting), ended);
  await step("again", () => sendUnary(peer, 5, longText, accepting), ended);
  await step("a client that does not accept gzip", () => sendUnary(peer, 7, longText), ended);
  await step(
    "a compressed request, and a response that is compressed, too",
    () => {
      peer.sendHeaders(9, requestHead("Unary", { "grpc-encoding": "gzip", ...accepting }));
      peer.sendData(9, framed(gzipSync(requestOf("repeat").subarray(5)), 1), { endStream: true });
    },
    ended,
  );
});
