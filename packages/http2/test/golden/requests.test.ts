// RFC 9113 §8.1 and RFC 7541: requests and responses, their header blocks, and the order of what streams write.
import { type Http2Stream, PreparedHeaders } from "@tercel/http2";
import { openRecordings } from "@tercel/test-support/golden";
import { ok, post } from "../example-fields.ts";
import { openClient, openServer } from "./recorded-connection.ts";

const { record } = openRecordings(import.meta.filename);

/** Sends small data in place, as codecs do. */
function writeInPlace(stream: Http2Stream, text: string, endStream = false): void {
  const offset = stream.reserveData(text.length);
  stream.outputBytes.set(Buffer.from(text), offset);
  stream.commitData(offset, text.length, endStream);
}

record("server-response", "a server's response with a body and trailers", async (transcript) => {
  const { peer, stream, step } = await openServer(transcript);
  await step("a request with a body and trailers", () => {
    peer.sendHeaders(1, [...post, "content-type", "text/plain"]);
    peer.sendData(1, "hello");
    peer.sendHeaders(1, ["x-checksum", "1234"], { endStream: true });
  });
  await step("head, two pieces of data and trailers in one turn", () => {
    stream(1).sendHeaders([...ok, "content-type", "text/plain"]);
    stream(1).sendData(Buffer.from("hello "));
    writeInPlace(stream(1), "world");
    stream(1).sendTrailers(["x-checksum", "5678", "x-more", "yes"]);
  });
  await step("a request", () => peer.sendHeaders(3, post, { endStream: true }));
  await step("an interim head and a head", () => {
    stream(3).sendHeaders([":status", "103", "link", "</style.css>"]);
    stream(3).sendHeaders(ok, false, ["x-extra", "1"]);
  });
  await step("data in a turn of its own", () => {
    stream(3).sendData(Buffer.from("alone"));
  });
  await step("the end without data", () => {
    stream(3).sendData(Buffer.alloc(0), true);
  });
  await step("a request", () => peer.sendHeaders(5, post, { endStream: true }));
  await step("a response of a head alone", () => stream(5).sendHeaders(ok, true));
  await step("a request", () => peer.sendHeaders(7, post, { endStream: true }));
  await step("a response whose last data ends it", () => {
    stream(7).sendHeaders(ok);
    writeInPlace(stream(7), "end", true);
  });
});

record("client-request", "a client's request with a body and trailers", async (transcript) => {
  const { peer, request, step } = await openClient(transcript);
  let stream: Http2Stream | undefined;
  await step("head, data and trailers in one turn", () => {
    ({ stream } = request([...post, "content-type", "text/plain"], { extra: ["x-call", "1"] }));
    stream?.sendData(Buffer.from("hello"));
    stream?.sendTrailers(["x-checksum", "1234"]);
  });
  await step("the response, with interim heads before it", () => {
    peer.sendHeaders(1, [":status", "100"]);
    peer.sendHeaders(1, ok);
    peer.sendData(1, "hello");
    peer.sendHeaders(1, ["x-checksum", "1234"], { endStream: true });
  });
  await step("a request in a turn of its own", () => {
    ({ stream } = request(post));
  });
  await step("its data", () => {
    if (stream !== undefined) writeInPlace(stream, "hello");
  });
  await step("its end", () => {
    stream?.sendData(Buffer.alloc(0), true);
  });
});

record("interleaved-streams", "many streams with responses in other orders than their requests", async (transcript) => {
  const { peer, stream, step, together } = await openServer(transcript);
  const ids = [1, 3, 5, 7, 9];
  await step("five requests in one chunk", () => {
    together(() => {
      for (const id of ids) peer.sendHeaders(id, [...post, "x-id", String(id)]);
      for (const id of ids) peer.sendData(id, `body ${id}`, { endStream: true });
    });
  });
  await step("heads in the opposite order, data in turns, and three ends", () => {
    for (const id of ids.toReversed()) stream(id).sendHeaders(ok);
    for (const piece of ["a", "bc"]) for (const id of ids) stream(id).sendData(Buffer.from(`${piece}${id}`));
    for (const id of [5, 1, 9]) stream(id).sendTrailers(["x-id", String(id)]);
  });
  await step("in one turn, but in promises that settle one after the other", () => {
    void (async () => {
      stream(3).sendData(Buffer.from("first"));
      await Promise.resolve();
      stream(7).sendData(Buffer.from("second"));
      await Promise.resolve();
      stream(3).sendTrailers(["x-id", "3"]);
      await Promise.resolve();
      stream(7).sendData(Buffer.alloc(0), true);
    })();
  });
});

record("received-continuation", "a request whose header block comes in five frames", async (transcript) => {
  const { peer, stream, step } = await openServer(transcript);
  const block = peer.encodeHeaders([...post, "x-long", "v".repeat(60), "x-short", "s"]);
  await step("HEADERS and four times CONTINUATION", () => {
    peer.sendHeaders(1, block.subarray(0, 7), { endHeaders: false, endStream: true, padding: 3, dependsOn: 0 });
    for (let at = 7; at < 37; at += 10) {
      peer.sendContinuation(1, block.subarray(at, at + 10), { endHeaders: false });
    }
    peer.sendContinuation(1, block.subarray(37));
  });
  await step("the response", () => stream(1).sendHeaders(ok, true));
});

record("sent-continuation", "header blocks that do not fit one frame", async (transcript) => {
  const { request, step } = await openClient(transcript);
  const incompressible = "~".repeat(9000);
  await step("a block of one frame and nothing more", () => {
    request([...post, "x-a", incompressible], { endStream: true });
  });
  await step("a block that takes a CONTINUATION, with more after it", () => {
    const { stream } = request([...post, "x-b", incompressible, "x-c", incompressible]);
    stream?.sendData(Buffer.from("body"), true);
  });
  await step("a block of three frames that ends the stream", () => {
    request(new PreparedHeaders([...post, "x-d", incompressible, "x-e", incompressible]), {
      endStream: true,
      extra: ["x-f", incompressible, "x-g", incompressible],
    });
  });
});

record("header-table", "the header table over many requests", async (transcript) => {
  const { request, step } = await openClient(transcript, { unindexedFields: ["x-deadline"] });
  const prepared = new PreparedHeaders([...post, ":authority", "example.org", "accept", "text/plain"]);
  await step("a prepared head three times", () => {
    for (let i = 0; i < 3; i++) request(prepared, { endStream: true });
  });
  await step("the same fields that are not prepared", () => {
    request(prepared.fields, { endStream: true });
  });
  await step("fields that are never put into the table, and others after them", () => {
    for (const id of ["1", "2"]) request(prepared, { endStream: true, extra: ["x-deadline", id, "x-user", "one"] });
  });
  await step("fields that no table should hold, and empty ones", () => {
    const secrets = ["authorization", "Bearer abc", "cookie", "a=b", "set-cookie", "c=d"];
    for (let i = 0; i < 2; i++) {
      request(prepared, {
        endStream: true,
        extra: [...secrets, "content-length", "0", "x-empty", "", "x-bytes", "\xff"],
      });
    }
  });
  await step("16 requests with values that push each other out", () => {
    for (let i = 0; i < 16; i++) {
      request(prepared, {
        endStream: true,
        extra: ["x-user", `user ${i % 3}`, "x-request", String(i % 10).repeat(280)],
      });
    }
  });
  await step("a field that is larger than the table", () => {
    request(prepared, { endStream: true, extra: ["x-large", "l".repeat(5000)] });
  });
  await step("the first head twice", () => {
    for (let i = 0; i < 2; i++) request(prepared, { endStream: true });
  });
});
