import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { UNARY_MESSAGE } from "../../echo-values.ts";
import { runLoad } from "../../load.ts";
import { EchoRequestSchema, EchoService } from "./gen/echo_pb.ts";

const unaryRequest = create(EchoRequestSchema, { message: UNARY_MESSAGE });

await runLoad((target) => {
  const client = createClient(EchoService, createGrpcTransport({ baseUrl: `http://${target}` }));
  return {
    unary: async () => (await client.unary(unaryRequest)).message,
    async serverStream(size, counter) {
      for await (const { payload } of client.serverStream(size)) {
        if (payload.length === size.payloadSize) counter.messages++;
      }
    },
  };
});
