import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { type Channel, createChannel, gzipCompression } from "@tercel/grpc";
import { assertStatus, createFakeClock, createStubServer, type StubServer } from "@tercel/grpc/testing";
import { aborted, collect, createOccasion, streamOf } from "@tercel/test-support/async";
import { EchoRequestSchema, EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { echoRoutes, recordingLog } from "./support/open-echo.ts";

interface Echo {
  text: string;
  payload: Buffer;
  count: number;
}

type EchoConstructor = grpc.ServiceClientConstructor;

const definition = loadSync(join(import.meta.dirname, "proto/tercel/grpc/test/v1/echo.proto"), { defaults: true });
const loaded = grpc.loadPackageDefinition(definition) as unknown as {
  tercel: { grpc: { test: { v1: { EchoService: EchoConstructor } } } };
};
const { EchoService: GrpcJsEcho } = loaded.tercel.grpc.test.v1;

describe("a grpc-js client of our server", () => {
  let stub: StubServer;
  let client: grpc.Client & Record<string, (...given: unknown[]) => unknown>;
  const cancelled = createOccasion<unknown>();
  const entered = createOccasion();

  before(async () => {
    const routes = echoRoutes({
      unary(request, context) {
        if (request.text === "fail") {
          throw new ConnectError("größer", Code.OutOfRange, { "x-error": "e" }, [
            { desc: EchoRequestSchema, value: { text: "detail" } },
          ]);
        }
        context.responseHeader.set("x-head", context.requestHeader.get("x-in") ?? "");
        context.responseHeader.set("x-bytes-bin", context.requestHeader.get("x-bytes-bin") ?? "");
        context.responseTrailer.set("x-trail", "end");
        return { text: request.text, payload: request.payload, count: Math.ceil(context.timeoutMs() ?? -1) };
      },
      async *serverStream(request, context) {
        for (let at = 0; at < request.count; at++) yield { count: at, payload: new Uint8Array(10_000) };
        if (request.text !== "wait") return;
        entered.happen();
        cancelled.happen(await aborted(context.signal));
      },
      async clientStream(requests) {
        return { text: (await collect(requests)).map((request) => request.text).join(",") };
      },
      async *bidi(requests) {
        for await (const request of requests) yield { text: request.text.toUpperCase() };
      },
    });
    stub = await createStubServer(routes, { serverOptions: { log: recordingLog().log, compressMinBytes: 1024 } });
    client = new GrpcJsEcho(stub.target, grpc.credentials.createInsecure(), {
      "grpc.default_compression_algorithm": grpc.compressionAlgorithms.gzip,
    }) as never;
  });
  after(async () => {
    client.close();
    await stub.close();
  });

  function unary(request: Partial<Echo>, metadata = new grpc.Metadata(), options: grpc.CallOptions = {}) {
    return new Promise<{ response: Echo; header: grpc.Metadata; trailer: grpc.Metadata }>((resolve, reject) => {
      let header = new grpc.Metadata();
      let response: Echo | undefined;
      const call = client.Unary?.(request, metadata, options, (error: Error | null, given?: Echo) => {
        if (error !== null) reject(error);
        else response = given;
      }) as grpc.ClientUnaryCall;
      call.on("metadata", (given) => {
        header = given;
      });
      call.on("status", ({ metadata: trailer }) => {
        if (response !== undefined) resolve({ response, header, trailer });
      });
    });
  }

  it("makes unary calls, compressed, with metadata both ways", async () => {
    const metadata = new grpc.Metadata();
    metadata.set("x-in", "in");
    metadata.set("x-bytes-bin", Buffer.from([0, 1, 255]));
    const payload = Buffer.alloc(50_000, 7);
    const { response, header, trailer } = await unary({ text: "hi", payload }, metadata);
    assert.equal(response.text, "hi");
    assert.equal(Buffer.compare(response.payload, payload), 0);
    assert.deepEqual(header.get("x-head"), ["in"]);
    assert.deepEqual(header.get("x-bytes-bin"), [Buffer.from([0, 1, 255])]);
    assert.deepEqual(trailer.get("x-trail"), ["end"]);
  });

  it("tells its deadline", async () => {
    const { response } = await unary({}, undefined, { deadline: Date.now() + 60_000 });
    assert.ok(response.count > 50_000 && response.count <= 60_000, String(response.count));
    assert.equal((await unary({})).response.count, -1);
  });

  it("gets status, message, metadata and details of an error", async () => {
    const error = (await unary({ text: "fail" }).catch((reason) => reason)) as grpc.ServiceError;
    assert.equal(error.code, grpc.status.OUT_OF_RANGE);
    assert.equal(error.details, "größer");
    assert.deepEqual(error.metadata.get("x-error"), ["e"]);
    const [details] = error.metadata.get("grpc-status-details-bin");
    assert.ok(Buffer.isBuffer(details) && details.includes("tercel.grpc.test.v1.EchoRequest"));
  });

  it("reads a stream, and cancels one", async () => {
    const stream = client.ServerStream?.({ count: 100 }) as grpc.ClientReadableStream<Echo>;
    assert.deepEqual(
      (await collect<Echo>(stream)).map((response) => response.count),
      Array.from({ length: 100 }, (_, at) => at),
    );
    const endless = client.ServerStream?.({ count: 1, text: "wait" }) as grpc.ClientReadableStream<Echo>;
    const failure = new Promise<grpc.ServiceError>((resolve) => endless.on("error", (e) => resolve(e as never)));
    endless.resume();
    await entered.happened;
    endless.cancel();
    assert.equal((await failure).code, grpc.status.CANCELLED);
    assert.equal(ConnectError.from(await cancelled.happened).code, Code.Canceled);
  });

  it("writes a stream, and talks both ways", async () => {
    const answer = await new Promise<Echo>((resolve, reject) => {
      const call = client.ClientStream?.((error: Error | null, response: Echo) =>
        error === null ? resolve(response) : reject(error),
      ) as grpc.ClientWritableStream<Partial<Echo>>;
      for (const text of ["a", "b", "c"]) call.write({ text });
      call.end();
    });
    assert.equal(answer.text, "a,b,c");
    const call = client.Bidi?.() as grpc.ClientDuplexStream<Partial<Echo>, Echo>;
    const heard: string[] = [];
    call.write({ text: "x" });
    for await (const response of call) {
      heard.push((response as Echo).text);
      if (heard.length === 3) call.end();
      else call.write({ text: "y" });
    }
    assert.deepEqual(heard, ["X", "Y", "Y"]);
  });

  it("learns of a method that is not there", async () => {
    const other = new grpc.Client(stub.target, grpc.credentials.createInsecure());
    const pass = (bytes: Buffer) => bytes;
    const error = await new Promise<grpc.ServiceError | null>((resolve) => {
      other.makeUnaryRequest("/a.B/C", pass, pass, Buffer.alloc(0), (failure) => resolve(failure));
    });
    assert.equal(error?.code, grpc.status.UNIMPLEMENTED);
    other.close();
  });
});

describe("our client of a grpc-js server", () => {
  let server: grpc.Server;
  let channel: Channel;
  let client: Client<typeof EchoService>;
  let target = "";
  const entered = createOccasion();
  const cancelled = createOccasion();

  before(async () => {
    server = new grpc.Server();
    server.addService(GrpcJsEcho.service, {
      Unary(call: grpc.ServerUnaryCall<Echo, Partial<Echo>>, answer: grpc.sendUnaryData<Partial<Echo>>) {
        const trailer = new grpc.Metadata();
        trailer.set("x-trail", "end");
        if (call.request.text === "fail") {
          answer({ code: grpc.status.ABORTED, details: "größer als 100 %", metadata: trailer });
          return;
        }
        if (call.request.text === "never") {
          call.on("cancelled", () => cancelled.happen());
          entered.happen();
          return;
        }
        const header = new grpc.Metadata();
        header.set("x-head", call.metadata.get("x-in")[0] ?? "");
        header.set("x-bytes-bin", call.metadata.get("x-bytes-bin")[0] ?? Buffer.alloc(0));
        call.sendMetadata(header);
        const deadline = call.getDeadline();
        const left = typeof deadline === "number" ? deadline - Date.now() : deadline.getTime() - Date.now();
        answer(
          null,
          { text: call.request.text, payload: call.request.payload, count: Number.isFinite(left) ? left : -1 },
          trailer,
        );
      },
      ServerStream(call: grpc.ServerWritableStream<Echo, Partial<Echo>>) {
        for (let at = 0; at < call.request.count; at++) call.write({ count: at, payload: Buffer.alloc(10_000) });
        call.end();
      },
      ClientStream(call: grpc.ServerReadableStream<Echo, Partial<Echo>>, answer: grpc.sendUnaryData<Partial<Echo>>) {
        const texts: string[] = [];
        call.on("data", (request: Echo) => texts.push(request.text));
        call.on("end", () => answer(null, { text: texts.join(",") }));
      },
      Bidi(call: grpc.ServerDuplexStream<Echo, Partial<Echo>>) {
        call.on("data", (request: Echo) => call.write({ text: request.text.toUpperCase() }));
        call.on("end", () => call.end());
      },
    });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, given) =>
        error === null ? resolve(given) : reject(error),
      );
    });
    target = `127.0.0.1:${port}`;
    channel = createChannel(target);
    client = createClient(EchoService, channel);
  });
  after(async () => {
    await channel.close();
    server.forceShutdown();
  });

  it("makes unary calls, plain and compressed, with metadata both ways", async () => {
    const compressing = createChannel(target, { sendCompression: gzipCompression });
    for (const one of [client, createClient(EchoService, compressing)]) {
      const payload = new Uint8Array(50_000).fill(7);
      const seen: (string | null)[] = [];
      const response = await one.unary(
        { text: "hi", payload },
        {
          headers: { "x-in": "in", "x-bytes-bin": "AAH/" },
          onHeader: (header) => seen.push(header.get("x-head"), header.get("x-bytes-bin")),
          onTrailer: (trailer) => seen.push(trailer.get("x-trail")),
        },
      );
      assert.equal(response.text, "hi");
      assert.deepEqual(response.payload, payload);
      assert.deepEqual(seen, ["in", "AAH/", "end"]);
    }
    await compressing.close();
  });

  it("tells its deadline, and cancels", async (t) => {
    const { count } = await client.unary({}, { timeoutMs: 60_000 });
    assert.ok(count > 50_000 && count <= 60_000, String(count));
    // The server's deadline is far away: what cancels the call there is our reset.
    const clock = createFakeClock();
    const timed = createChannel(target, { clock });
    t.after(() => timed.close());
    const never = createClient(EchoService, timed).unary({ text: "never" }, { timeoutMs: 60_000 });
    const failing = assertStatus(never, Code.DeadlineExceeded);
    await entered.happened;
    await clock.advance(60_010);
    await failing;
    await cancelled.happened;
  });

  it("gets status, message and metadata of an error", async () => {
    const error = await assertStatus(client.unary({ text: "fail" }), Code.Aborted, "größer als 100 %");
    assert.equal(error.metadata.get("x-trail"), "end");
  });

  it("reads and writes streams of 1,000 messages", async () => {
    assert.equal((await collect(client.serverStream({ count: 1000 }))).length, 1000);
    const many = Array.from({ length: 1000 }, (_, at) => ({ text: String(at) }));
    assert.equal((await client.clientStream(streamOf(...many))).text, many.map((one) => one.text).join(","));
    assert.equal((await collect(client.bidi(streamOf(...many)))).length, 1000);
  });
});
