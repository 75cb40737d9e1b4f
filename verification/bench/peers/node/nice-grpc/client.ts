import { createChannel, createClient } from "nice-grpc";
import { MESSAGES_PER_STREAM, STREAM_PAYLOAD_BYTES, UNARY_MESSAGE } from "../../echo-values.ts";
import { runLoad } from "../../load.ts";
import { EchoServiceDefinition } from "./gen/echo.ts";

const unaryRequest = { message: UNARY_MESSAGE };
const streamRequest = { count: MESSAGES_PER_STREAM, payloadSize: STREAM_PAYLOAD_BYTES };

await runLoad((target) => {
  const client = createClient(EchoServiceDefinition, createChannel(target));
  return {
    unary: async () => (await client.unary(unaryRequest)).message,
    async serverStream(counter) {
      for await (const _ of client.serverStream(streamRequest)) counter.messages++;
    },
  };
});
