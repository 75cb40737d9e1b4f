import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { MESSAGES_PER_STREAM, STREAM_PAYLOAD_BYTES, UNARY_MESSAGE } from "../../echo-values.ts";
import { runLoad } from "../../load.ts";
import { EchoRequestSchema, EchoService, StreamRequestSchema } from "./gen/echo_pb.ts";

const unaryRequest = create(EchoRequestSchema, { message: UNARY_MESSAGE });
const streamRequest = create(StreamRequestSchema, { count: MESSAGES_PER_STREAM, payloadSize: STREAM_PAYLOAD_BYTES });

await runLoad((target) => {
  const client = createClient(EchoService, createGrpcTransport({ baseUrl: `http://${target}` }));
  return {
    unary: async () => (await client.unary(unaryRequest)).message,
    async serverStream(counter) {
      for await (const _ of client.serverStream(streamRequest)) counter.messages++;
    },
  };
});
