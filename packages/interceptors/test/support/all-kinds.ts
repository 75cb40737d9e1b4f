import type { CallOptions, Client, ContextValues } from "@connectrpc/connect";
import { collect, streamOf } from "@tercel/test-support/async";
import type { EchoService } from "../gen/tercel/interceptors/test/v1/echo_pb.ts";
import type { EchoHandlers } from "./open-echo.ts";

/** Handlers of all four kinds that respond with one text. */
export function answeringWith(textOf: (values: ContextValues) => string): EchoHandlers {
  return {
    unary: (_request, { values }) => ({ text: textOf(values) }),
    async *serverStream(_request, { values }) {
      yield { text: textOf(values) };
    },
    clientStream: async (_requests, { values }) => ({ text: textOf(values) }),
    async *bidi(_requests, { values }) {
      yield { text: textOf(values) };
    },
  };
}

/** Makes a call, and returns the text of the response. */
export type CallOfKind = (client: Client<typeof EchoService>, options?: CallOptions) => Promise<string | undefined>;

/** One call of each kind. */
export const callOfEachKind: readonly (readonly [kind: string, call: CallOfKind])[] = [
  ["unary", async (client, options) => (await client.unary({}, options)).text],
  ["server streaming", async (client, options) => (await collect(client.serverStream({}, options)))[0]?.text],
  ["client streaming", async (client, options) => (await client.clientStream(streamOf({}), options)).text],
  ["bidirectional", async (client, options) => (await collect(client.bidi(streamOf({}), options)))[0]?.text],
];
