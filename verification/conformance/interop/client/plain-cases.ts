import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, decodeBinaryHeader, encodeBinaryHeader } from "@connectrpc/connect";
import { createWritableIterable } from "@connectrpc/connect/protocol";
import type { StreamingOutputCallRequestSchema } from "../gen/grpc/testing/messages_pb.ts";
import { expectStatus, takeAll } from "./expect-status.ts";
import { largeRequestBytes, largeResponseBytes, zeros } from "./sizes.ts";
import type { TestChannel } from "./test-channel.ts";

type OutputRequest = MessageInitShape<typeof StreamingOutputCallRequestSchema>;

const requestSizes = [27182, 8, 1828, 45904];
const responseSizes = [31415, 9, 2653, 58979];

/** The cases that every language has, by name. Each throws if the server or the client is wrong. */
export const plainCases: Readonly<Record<string, (test: TestChannel) => Promise<void>>> = {
  async empty_unary({ client }) {
    await client.emptyCall({});
  },

  async large_unary({ client }) {
    const response = await client.unaryCall({
      responseSize: largeResponseBytes,
      payload: { body: zeros(largeRequestBytes) },
    });
    assert.equal(response.payload?.body.length, largeResponseBytes);
  },

  async client_streaming({ client }) {
    async function* requests() {
      for (const size of requestSizes) yield { payload: { body: zeros(size) } };
    }
    const response = await client.streamingInputCall(requests());
    assert.equal(response.aggregatedPayloadSize, 74922);
  },

  async server_streaming({ client }) {
    const responseParameters = responseSizes.map((size) => ({ size }));
    const responses = await takeAll(client.streamingOutputCall({ responseParameters }));
    assert.deepEqual(
      responses.map((response) => response.payload?.body.length),
      responseSizes,
    );
  },

  async ping_pong({ client }) {
    const requests = createWritableIterable<OutputRequest>();
    const responses = client.fullDuplexCall(requests)[Symbol.asyncIterator]();
    for (const [at, size] of responseSizes.entries()) {
      await requests.write(outputRequest(requestSizes[at] ?? 0, size));
      const response = await responses.next();
      assert.equal(response.value?.payload?.body.length, size);
    }
    requests.close();
    assert.equal((await responses.next()).done, true);
  },

  async empty_stream({ client }) {
    const requests = createWritableIterable<OutputRequest>();
    requests.close();
    assert.deepEqual(await takeAll(client.fullDuplexCall(requests)), []);
  },

  async custom_metadata({ client }) {
    const initial = "test_initial_metadata_value";
    const trailing = Uint8Array.of(0xab, 0xab, 0xab);
    const headers = {
      "x-grpc-test-echo-initial": initial,
      "x-grpc-test-echo-trailing-bin": encodeBinaryHeader(trailing),
    };
    const check = (header: Headers | undefined, trailer: Headers | undefined): void => {
      assert.equal(header?.get("x-grpc-test-echo-initial"), initial);
      const echoed = trailer?.get("x-grpc-test-echo-trailing-bin") ?? "";
      assert.deepEqual(Uint8Array.from(decodeBinaryHeader(echoed)), trailing);
    };
    let header: Headers | undefined;
    let trailer: Headers | undefined;
    const options = {
      headers,
      onHeader: (received: Headers) => {
        header = received;
      },
      onTrailer: (received: Headers) => {
        trailer = received;
      },
    };
    await client.unaryCall({ responseSize: largeResponseBytes, payload: { body: zeros(largeRequestBytes) } }, options);
    check(header, trailer);
    header = undefined;
    trailer = undefined;
    const requests = createWritableIterable<OutputRequest>();
    const written = requests.write(outputRequest(largeRequestBytes, largeResponseBytes));
    requests.close();
    const responses = await takeAll(client.fullDuplexCall(requests, options));
    await written;
    assert.equal(responses[0]?.payload?.body.length, largeResponseBytes);
    check(header, trailer);
  },

  async status_code_and_message({ client }) {
    const message = "test status message";
    const responseStatus = { code: Code.Unknown, message };
    await expectStatus(client.unaryCall({ responseStatus }), Code.Unknown, message);
    const requests = createWritableIterable<OutputRequest>();
    // Not awaited, because the server may end the call before it has read the end of the request.
    requests.write({ responseStatus }).catch(() => {});
    requests.close();
    await expectStatus(takeAll(client.fullDuplexCall(requests)), Code.Unknown, message);
  },

  async special_status_message({ client }) {
    const message = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";
    await expectStatus(client.unaryCall({ responseStatus: { code: Code.Unknown, message } }), Code.Unknown, message);
  },

  async unimplemented_method({ client }) {
    await expectStatus(client.unimplementedCall({}), Code.Unimplemented);
  },

  async unimplemented_service({ unimplemented }) {
    await expectStatus(unimplemented.unimplementedCall({}), Code.Unimplemented);
  },

  async cancel_after_begin({ client }) {
    // With an open connection the metadata is sent at once, and then the cancellation.
    await client.emptyCall({});
    const abort = new AbortController();
    const call = client.streamingInputCall(createWritableIterable(), { signal: abort.signal });
    await nextTurn();
    abort.abort();
    await expectStatus(call, Code.Canceled);
  },

  async cancel_after_first_response({ client }) {
    const abort = new AbortController();
    const requests = createWritableIterable<OutputRequest>();
    const responses = client.fullDuplexCall(requests, { signal: abort.signal })[Symbol.asyncIterator]();
    await requests.write(outputRequest(27182, 31415));
    assert.equal((await responses.next()).value?.payload?.body.length, 31415);
    abort.abort();
    await expectStatus(responses.next(), Code.Canceled);
  },

  async timeout_on_sleeping_server({ client }) {
    // Without an open connection, the deadline would pass before the call reaches the server.
    await client.emptyCall({});
    const requests = createWritableIterable<OutputRequest>();
    requests.write({ payload: { body: zeros(27182) } }).catch(() => {});
    await expectStatus(takeAll(client.fullDuplexCall(requests, { timeoutMs: 1 })), Code.DeadlineExceeded);
  },
};

function outputRequest(requestBytes: number, responseBytes: number): OutputRequest {
  return { responseParameters: [{ size: responseBytes }], payload: { body: zeros(requestBytes) } };
}
