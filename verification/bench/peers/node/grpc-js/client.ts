import { UNARY_MESSAGE } from "../../echo-values.ts";
import { runLoad } from "../../load.ts";
import { createEchoClient } from "./echo-client.ts";

const unaryRequest = { message: UNARY_MESSAGE, payload: Buffer.alloc(0) };

await runLoad((target) => {
  const client = createEchoClient(target);
  return {
    unary: async () => (await client.unary(unaryRequest)).message,
    serverStream: (size, counter) =>
      client.serverStream({ ...size }, ({ payload }) => {
        if (payload.length === size.payloadSize) counter.messages++;
      }),
  };
});
