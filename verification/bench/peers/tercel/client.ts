import { create } from "@bufbuild/protobuf";
import { createChannel, createClient } from "@tercel/grpc";
import { UNARY_MESSAGE } from "../echo-values.ts";
import { runLoad } from "../load.ts";
import { tlsFiles } from "../tls-files.ts";
import { EchoRequestSchema, EchoService } from "./gen/echo_pb.ts";

const unaryRequest = create(EchoRequestSchema, { message: UNARY_MESSAGE });

await runLoad((target) => {
  const tls = tlsFiles();
  const channel = createChannel(target, tls === undefined ? {} : { tls: { ca: tls.cert } });
  const client = createClient(EchoService, channel);
  return {
    unary: async () => (await client.unary(unaryRequest)).message,
    async serverStream(size, counter) {
      for await (const { payload } of client.serverStream(size)) {
        if (payload.length === size.payloadSize) counter.messages++;
      }
    },
  };
});
