/** grpc-js as interoperability client. It cannot see whether a response was compressed, only whether it is right. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import * as grpc from "@grpc/grpc-js";
import { bodyBytes, type Fields, payload, TestService, UnimplementedService } from "./service.ts";

const { values } = parseArgs({
  options: {
    server_host: { type: "string", default: "127.0.0.1" },
    server_host_override: { type: "string" },
    server_port: { type: "string", default: "8080" },
    test_case: { type: "string", default: "large_unary" },
    use_tls: { type: "string", default: "false" },
    ca_file: { type: "string", default: "" },
    soak_iterations: { type: "string", default: "10" },
    soak_max_failures: { type: "string", default: "0" },
    soak_per_iteration_max_acceptable_latency_ms: { type: "string", default: "1000" },
    soak_overall_timeout_seconds: { type: "string", default: "10" },
  },
});

const requestSizes = [27182, 8, 1828, 45904];
const responseSizes = [31415, 9, 2653, 58979];
const largeRequest = (): Fields => ({ responseSize: 314159, payload: payload(271828) });
const statusMessage = "test status message";
const specialMessage = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";

const options: grpc.ClientOptions =
  values.server_host_override === undefined
    ? {}
    : {
        "grpc.ssl_target_name_override": values.server_host_override,
        "grpc.default_authority": values.server_host_override,
      };

/** The methods that the cases call, with the types of loadPackageDefinition. */
interface TestClient extends grpc.Client {
  emptyCall: Unary;
  unaryCall: Unary;
  unimplementedCall: Unary;
  streamingInputCall(callback: Callback): grpc.ClientWritableStream<Fields>;
  streamingOutputCall(request: Fields): grpc.ClientReadableStream<Fields>;
  fullDuplexCall(metadata?: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<Fields, Fields>;
}
type Callback = (error: grpc.ServiceError | null, response?: Fields) => void;
type Unary = (
  request: Fields,
  metadata: grpc.Metadata,
  options: grpc.CallOptions,
  callback: Callback,
) => grpc.ClientUnaryCall;

const cases: Record<string, (client: TestClient) => Promise<void>> = {
  async empty_unary(client) {
    await unary(client, "emptyCall", {});
  },
  large_unary: async (client) => assert.equal(bodyBytes(await unary(client, "unaryCall", largeRequest())), 314159),
  async client_streaming(client) {
    const response = await new Promise<Fields>((resolve, reject) => {
      const call = client.streamingInputCall((error, value) => (error === null ? resolve(value ?? {}) : reject(error)));
      for (const size of requestSizes) call.write({ payload: payload(size) });
      call.end();
    });
    assert.equal(response.aggregatedPayloadSize, 74922);
  },
  async server_streaming(client) {
    const request = { responseParameters: responseSizes.map((size) => ({ size })) };
    const sizes: number[] = [];
    for await (const response of client.streamingOutputCall(request)) sizes.push(bodyBytes(response));
    assert.deepEqual(sizes, responseSizes);
  },
  async ping_pong(client) {
    const call = client.fullDuplexCall();
    const responses = call[Symbol.asyncIterator]();
    for (const [at, size] of responseSizes.entries()) {
      call.write({ responseParameters: [{ size }], payload: payload(requestSizes[at] ?? 0) });
      assert.equal(bodyBytes((await responses.next()).value), size);
    }
    call.end();
    assert.equal((await responses.next()).done, true);
  },
  async empty_stream(client) {
    const call = client.fullDuplexCall();
    call.end();
    for await (const _ of call) assert.fail("a response came");
  },
  async custom_metadata(client) {
    const metadata = new grpc.Metadata();
    metadata.set("x-grpc-test-echo-initial", "test_initial_metadata_value");
    metadata.set("x-grpc-test-echo-trailing-bin", Buffer.of(0xab, 0xab, 0xab));
    await checkEchoes(client.unaryCall(largeRequest(), metadata, {}, () => {}));
    const call = client.fullDuplexCall(metadata);
    const echoes = checkEchoes(call);
    call.write({ responseParameters: [{ size: 314159 }], payload: payload(271828) });
    call.end();
    call.resume();
    await echoes;
  },
  async status_code_and_message(client) {
    const request = { responseStatus: { code: 2, message: statusMessage } };
    await expectStatus(unary(client, "unaryCall", request), 2, statusMessage);
    const call = client.fullDuplexCall();
    call.write(request);
    call.end();
    await expectStatus(ended(call), 2, statusMessage);
  },
  async special_status_message(client) {
    const request = { responseStatus: { code: 2, message: specialMessage } };
    await expectStatus(unary(client, "unaryCall", request), 2, specialMessage);
  },
  unimplemented_method: (client) => expectStatus(unary(client, "unimplementedCall", {}), 12),
  async unimplemented_service() {
    const client = open({}, UnimplementedService);
    await expectStatus(unary(client, "unimplementedCall", {}), 12);
    client.close();
  },
  async cancel_after_begin(client) {
    await new Promise<void>((resolve, reject) => {
      const call = client.streamingInputCall((error) => (error?.code === 1 ? resolve() : reject(error)));
      call.cancel();
    });
  },
  async cancel_after_first_response(client) {
    const call = client.fullDuplexCall();
    call.write({ responseParameters: [{ size: 31415 }], payload: payload(27182) });
    call.once("data", () => call.cancel());
    await expectStatus(ended(call), 1);
  },
  async timeout_on_sleeping_server(client) {
    const call = client.fullDuplexCall(new grpc.Metadata(), { deadline: Date.now() + 1 });
    call.write({ payload: payload(27182) });
    await expectStatus(ended(call), 4);
  },
  async client_compressed_unary() {
    const client = open({ "grpc.default_compression_algorithm": grpc.compressionAlgorithms.gzip });
    const claim = { ...largeRequest(), expectCompressed: { value: true } };
    const uncompressed = open();
    await expectStatus(unary(uncompressed, "unaryCall", claim), 3);
    assert.equal(bodyBytes(await unary(client, "unaryCall", claim)), 314159);
    const honest = { ...largeRequest(), expectCompressed: { value: false } };
    assert.equal(bodyBytes(await unary(uncompressed, "unaryCall", honest)), 314159);
    client.close();
    uncompressed.close();
  },
  async server_compressed_unary(client) {
    for (const value of [true, false]) {
      const request = { ...largeRequest(), responseCompressed: { value } };
      assert.equal(bodyBytes(await unary(client, "unaryCall", request)), 314159);
    }
  },
  async server_compressed_streaming(client) {
    const responseParameters = [
      { compressed: { value: true }, size: 31415 },
      { compressed: { value: false }, size: 92653 },
    ];
    const sizes: number[] = [];
    for await (const response of client.streamingOutputCall({ responseParameters })) sizes.push(bodyBytes(response));
    assert.deepEqual(sizes, [31415, 92653]);
  },
  rpc_soak: (client) => soak(client),
  channel_soak: () => soak(undefined),
};

const run = cases[values.test_case];
if (run === undefined) throw new Error(`unknown test case "${values.test_case}"`);
const shared = open();
await run(shared);
shared.close();

function open(more: grpc.ClientOptions = {}, service: grpc.ServiceClientConstructor = TestService): TestClient {
  const credentials =
    values.use_tls === "true"
      ? grpc.credentials.createSsl(readFileSync(values.ca_file))
      : grpc.credentials.createInsecure();
  const address = `${values.server_host}:${values.server_port}`;
  return new service(address, credentials, { ...options, ...more }) as unknown as TestClient;
}

function unary(
  client: TestClient,
  method: "emptyCall" | "unaryCall" | "unimplementedCall",
  request: Fields,
): Promise<Fields> {
  return new Promise((resolve, reject) => {
    client[method](request, new grpc.Metadata(), {}, (error, response) =>
      error === null ? resolve(response ?? {}) : reject(error),
    );
  });
}

/** Resolves when the stream succeeds. Rejects with its status otherwise. */
async function ended(call: grpc.ClientDuplexStream<Fields, Fields>): Promise<void> {
  call.resume();
  await once(call, "end");
}

async function expectStatus(call: Promise<unknown>, code: number, message?: string): Promise<void> {
  const error = await call.then(
    () => undefined,
    (reason: grpc.ServiceError) => reason,
  );
  assert.equal(error?.code, code, error?.message ?? "the call went well");
  if (message !== undefined) assert.equal(error?.details, message);
}

async function checkEchoes(call: grpc.ClientUnaryCall | grpc.ClientDuplexStream<Fields, Fields>): Promise<void> {
  const [header, status] = await Promise.all([
    once(call, "metadata") as Promise<[grpc.Metadata]>,
    once(call, "status") as Promise<[grpc.StatusObject]>,
  ]);
  assert.equal(status[0].code, 0, status[0].details);
  assert.deepEqual(header[0].get("x-grpc-test-echo-initial"), ["test_initial_metadata_value"]);
  assert.deepEqual(status[0].metadata.get("x-grpc-test-echo-trailing-bin"), [Buffer.of(0xab, 0xab, 0xab)]);
}

/** Without a client, each call opens a new one. */
async function soak(client: TestClient | undefined): Promise<void> {
  const startedAtMs = performance.now();
  const maxLatencyMs = Number(values.soak_per_iteration_max_acceptable_latency_ms);
  let failures = 0;
  for (let done = 0; done < Number(values.soak_iterations); done++) {
    const beginMs = performance.now();
    assert.ok(beginMs - startedAtMs < Number(values.soak_overall_timeout_seconds) * 1000, `only ${done} calls in time`);
    const used = client ?? open({ "grpc.use_local_subchannel_pool": 1 });
    const bytes = await unary(used, "unaryCall", largeRequest()).then(bodyBytes, () => -1);
    if (bytes !== 314159 || performance.now() - beginMs > maxLatencyMs) failures++;
    if (client === undefined) used.close();
  }
  assert.ok(failures <= Number(values.soak_max_failures), `${failures} calls failed`);
}
