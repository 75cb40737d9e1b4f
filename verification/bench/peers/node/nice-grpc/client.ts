import { createChannel, createClient } from "nice-grpc";
import { UNARY_MESSAGE } from "../../echo-values.ts";
import { runLoad } from "../../load.ts";
import { EchoServiceDefinition } from "./gen/echo.ts";

const unaryRequest = { message: UNARY_MESSAGE };

await runLoad((target) => {
  const client = createClient(EchoServiceDefinition, createChannel(target));
  return {
    unary: async () => (await client.unary(unaryRequest)).message,
    async serverStream(size, counter) {
      for await (const { payload } of client.serverStream(size)) {
        if (payload.length === size.payloadSize) counter.messages++;
      }
    },
  };
});
