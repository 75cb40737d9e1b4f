// What a client writes for each kind of call: heads, messages, ends, and which of them share a write.
import { createWritableIterable } from "@connectrpc/connect/protocol";
import { gzipCompression } from "@tercel/grpc";
import { collect, streamOf } from "@tercel/test-support/async";
import { openRecordings } from "@tercel/test-support/golden";
import { longText, okHead, okTrailers, responseOf, sendResponse } from "./messages.ts";
import { openClient, shakeHands } from "./recorded-calls.ts";

const { record } = openRecordings(import.meta.filename);

/** A call whose outcome does not matter here: it is what the client writes that counts. */
function start(call: Promise<unknown>): void {
  call.catch(() => {});
}

record("unary", "unary calls, the connection's first bytes included", async (transcript, test) => {
  const { peer, step, client } = await openClient(test, transcript, {}, { fromFirstByte: true });
  await step("a call", () => start(client.unary({ text: "hello" })));
  await step("its response", () => sendResponse(peer, 1, "hello"));
  await step("two more in one turn", () => {
    start(client.unary({ text: "hello" }));
    start(client.unary({}));
  });
  await step("their responses in the opposite order", () => {
    for (const id of [5, 3]) sendResponse(peer, id, "hello");
  });
  await step("a call that follows its predecessor's response at once", () => {
    start(client.unary({ text: "first" }).then(() => client.unary({ text: "second" })));
  });
  await step("the response", () => sendResponse(peer, 7, "hello"));
});

record("server-streaming", "a stream of responses", async (transcript, test) => {
  const { peer, step, client } = await openClient(test, transcript);
  await step("a call", () => start(collect(client.serverStream({ text: "hello" }))));
  await step("a message", () => {
    peer.sendHeaders(1, okHead);
    peer.sendData(1, responseOf("one"));
  });
  await step("another, and the end", () => {
    peer.sendData(1, responseOf("two"));
    peer.sendHeaders(1, okTrailers, { endStream: true });
  });
  await step("a call that takes only the first of two", () => {
    start(
      (async () => {
        for await (const _response of client.serverStream({})) break;
      })(),
    );
  });
  await step("both", () => {
    peer.sendHeaders(3, okHead);
    peer.sendData(3, Buffer.concat([responseOf("one"), responseOf("two")]));
  });
});

record("client-streaming", "a stream of requests", async (transcript, test) => {
  const { peer, step, client } = await openClient(test, transcript);
  await step("three messages that are there at once", () => {
    start(client.clientStream(streamOf({ text: "a" }, { text: "b" }, { text: "c" })));
  });
  await step("the response", () => sendResponse(peer, 1, "three"));
  const requests = createWritableIterable<{ text: string }>();
  await step("a call without messages yet", () => start(client.clientStream(requests)));
  await step("a message", () => void requests.write({ text: "one" }));
  await step("the end", () => requests.close());
  await step("the response", () => sendResponse(peer, 3, "one"));
  const endless = createWritableIterable<{ text: string }>();
  await step("a call whose response comes before its end", () => start(client.clientStream(endless)));
  await step("the response", () => sendResponse(peer, 5, "early"));
});

record("bidi-streaming", "streams both ways", async (transcript, test) => {
  const { peer, step, client } = await openClient(test, transcript);
  const requests = createWritableIterable<{ text: string }>();
  await step("a call", () => start(collect(client.bidi(requests))));
  await step("a message", () => void requests.write({ text: "hello" }));
  await step("its response", () => {
    peer.sendHeaders(1, okHead);
    peer.sendData(1, responseOf("hello"));
  });
  await step("another", () => void requests.write({ text: "again" }));
  await step("the end of the requests", () => requests.close());
  await step("the end of the responses", () => peer.sendHeaders(1, okTrailers, { endStream: true }));
  await step("requests that fail", () => {
    async function* failing() {
      yield { text: "one" };
      throw new Error("the caller's own");
    }
    start(collect(client.bidi(failing())));
  });
});

record("metadata", "metadata, deadlines and a name of one's own", async (transcript, test) => {
  const options = { userAgentPrefix: "shop/1.0", defaultTimeoutMs: 30_000 };
  const { peer, step, client, clock } = await openClient(test, transcript, options);
  await step("text and bytes", () => {
    const headers = new Headers({ "x-text": "a  b", "x-bytes-bin": "AAH/" });
    headers.append("x-list", "1");
    headers.append("x-list", "2");
    start(client.unary({}, { headers }));
  });
  await step("the response", () => sendResponse(peer, 1, "hello"));
  await step("names that calls cannot set", () => {
    start(client.unary({}, { headers: { "content-type": "text/plain", te: "gzip", "grpc-timeout": "1S", host: "x" } }));
  });
  for (const timeoutMs of [1, 1500, 99_999_999, 100_000_000]) {
    await step(`a time-out of ${timeoutMs} ms`, () => start(client.unary({}, { timeoutMs })));
  }
  await step("a call on its way, 2.5 s later", () => clock.advance(2500));
});

record("interceptors", "the same calls with an interceptor", async (transcript, test) => {
  const { peer, step, client } = await openClient(test, transcript, {
    interceptors: [
      (next) => (request) => {
        request.header.set("x-intercepted", "1");
        return next(request);
      },
    ],
  });
  await step("unary", () => start(client.unary({ text: "hello" })));
  await step("the response", () => sendResponse(peer, 1, "hello"));
  await step("streams both ways", () => start(collect(client.bidi(streamOf({ text: "a" }, { text: "b" })))));
  await step("the response", () => sendResponse(peer, 3, "a", "b"));
});

record("gzip", "compressed requests", async (transcript, test) => {
  const { peer, step, client } = await openClient(test, transcript, { sendCompression: gzipCompression });
  // The end of a request may follow its message in a write of its own: the step waits for it.
  await step("a small one", () => start(client.unary({ text: "small" })));
  await step("its response", () => sendResponse(peer, 1, "small"));
  await step("a large one", () => start(client.unary({ text: longText })));
  await step("its response", () => sendResponse(peer, 3, "large"));
  await step("in a stream", () => start(client.clientStream(streamOf({ text: longText }, { text: "small" }))));
});

record("json", "messages as JSON, without compression", async (transcript, test) => {
  const { step, client } = await openClient(test, transcript, { format: "json", acceptCompressions: [] });
  await step("a call", () => start(client.unary({ text: "hello", count: 7 })));
});

record("large-messages", "requests that are larger than a frame or a window", async (transcript, test) => {
  const { peer, step, client } = await openClient(test, transcript);
  const payload = new Uint8Array(40_000).fill(7);
  await step("two of 40,000 bytes", () => {
    for (let i = 0; i < 2; i++) start(client.unary({ payload }));
  });
  await step("a small one after them", () => start(client.unary({ text: "small" })));
  await step("the window opens", () => peer.sendWindowUpdate(0, 100_000));
});

record(
  "waiting-calls",
  "calls that wait for the stream limit, and the connection that is made for them",
  async (transcript, test) => {
    const settings = { maxConcurrentStreams: 2 };
    const { peer, step, client, nextConnection } = await openClient(test, transcript, {}, { settings });
    const next = nextConnection();
    await step("four calls", () => {
      for (const text of ["one", "two", "three", "four"]) start(client.unary({ text }));
    });
    await step("a response", () => sendResponse(peer, 1, "done"));
    await shakeHands(await next);
  },
);

record("first-call", "a call that crosses the end of its connection", async (transcript, test) => {
  const { step, client, nextConnection, peer } = await openClient(test, transcript);
  const next = nextConnection();
  await step("the server goes away while a call is made", () => {
    peer.sendGoaway(0, 0, "bye");
    start(client.unary({ text: "hello" }));
  });
  await shakeHands(await next);
});
