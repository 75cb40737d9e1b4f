import { MESSAGES_PER_STREAM, STREAM_PAYLOAD_BYTES, UNARY_MESSAGE } from "../../echo-values.ts";
import { runLoad } from "../../load.ts";
import { createEchoClient } from "./echo-client.ts";

const unaryRequest = { message: UNARY_MESSAGE, payload: Buffer.alloc(0) };
const streamRequest = { count: MESSAGES_PER_STREAM, payloadSize: STREAM_PAYLOAD_BYTES };

await runLoad((target) => {
  const client = createEchoClient(target);
  return {
    unary: async () => (await client.unary(unaryRequest)).message,
    serverStream: (counter) =>
      client.serverStream(streamRequest, () => {
        counter.messages++;
      }),
  };
});
