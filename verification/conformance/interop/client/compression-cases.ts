import assert from "node:assert/strict";
import { Code, createContextValues } from "@connectrpc/connect";
import { compressMessages } from "@tercel/grpc";
import { cameCompressed, markingGzip } from "../compressed-mark.ts";
import { expectStatus, takeAll } from "./expect-status.ts";
import { largeRequestBytes, largeResponseBytes, zeros } from "./sizes.ts";
import { type InteropTarget, openTestChannel, type TestChannel } from "./test-channel.ts";

/**
 * The cases in which single messages are compressed or not. Those that end in `_noprobe` omit the first step, which
 * needs a server that reads a message's flag. Most languages do not show the flag to servers.
 */
export const compressionCases: Readonly<Record<string, (target: InteropTarget) => Promise<void>>> = {
  client_compressed_unary: (target) => withCompression(target, (test) => compressedUnary(test, true)),
  client_compressed_unary_noprobe: (target) => withCompression(target, (test) => compressedUnary(test, false)),
  client_compressed_streaming: (target) => withCompression(target, (test) => compressedStreaming(test, true)),
  client_compressed_streaming_noprobe: (target) => withCompression(target, (test) => compressedStreaming(test, false)),

  async server_compressed_unary(target) {
    const { client, channel } = openTestChannel(target);
    for (const value of [true, false]) {
      const response = await client.unaryCall({
        responseCompressed: { value },
        responseSize: largeResponseBytes,
        payload: { body: zeros(largeRequestBytes) },
      });
      assert.equal(response.payload?.body.length, largeResponseBytes);
      assert.equal(cameCompressed(response), value, `compressed responses asked for: ${value}`);
    }
    await channel.close();
  },

  async server_compressed_streaming(target) {
    const { client, channel } = openTestChannel(target);
    const responses = await takeAll(
      client.streamingOutputCall({
        responseParameters: [
          { compressed: { value: true }, size: 31415 },
          { compressed: { value: false }, size: 92653 },
        ],
      }),
    );
    assert.deepEqual(
      responses.map((response) => [response.payload?.body.length, cameCompressed(response)]),
      [
        [31415, true],
        [92653, false],
      ],
    );
    await channel.close();
  },
};

async function compressedUnary({ client }: TestChannel, probe: boolean): Promise<void> {
  const call = async (expected: boolean, compressed: boolean): Promise<void> => {
    const response = await client.unaryCall(
      {
        expectCompressed: { value: expected },
        responseSize: largeResponseBytes,
        payload: { body: zeros(largeRequestBytes) },
      },
      { contextValues: createContextValues().set(compressMessages, compressed) },
    );
    assert.equal(response.payload?.body.length, largeResponseBytes);
  };
  if (probe) await expectStatus(call(true, false), Code.InvalidArgument);
  await call(true, true);
  await call(false, false);
}

async function compressedStreaming({ client }: TestChannel, probe: boolean): Promise<void> {
  const call = (messages: readonly { size: number; expected: boolean; compressed: boolean }[]) => {
    const contextValues = createContextValues();
    async function* requests() {
      for (const { size, expected, compressed } of messages) {
        contextValues.set(compressMessages, compressed);
        yield { expectCompressed: { value: expected }, payload: { body: zeros(size) } };
      }
    }
    return client.streamingInputCall(requests(), { contextValues });
  };
  if (probe) await expectStatus(call([{ size: 27182, expected: true, compressed: false }]), Code.InvalidArgument);
  const response = await call([
    { size: 27182, expected: true, compressed: true },
    { size: 45904, expected: false, compressed: false },
  ]);
  assert.equal(response.aggregatedPayloadSize, 73086);
}

async function withCompression(target: InteropTarget, run: (test: TestChannel) => Promise<void>): Promise<void> {
  const test = openTestChannel(target, { sendCompression: markingGzip });
  await run(test);
  await test.channel.close();
}
