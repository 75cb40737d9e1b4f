import { create } from "@bufbuild/protobuf";
import { createChannel, createClient } from "@tercel/grpc";
import { MESSAGES_PER_STREAM, STREAM_PAYLOAD_BYTES, UNARY_MESSAGE } from "../echo-values.ts";
import { runLoad } from "../load.ts";
import { tlsFiles } from "../tls-files.ts";
import { EchoRequestSchema, EchoService, StreamRequestSchema } from "./gen/echo_pb.ts";

const unaryRequest = create(EchoRequestSchema, { message: UNARY_MESSAGE });
const streamRequest = create(StreamRequestSchema, { count: MESSAGES_PER_STREAM, payloadSize: STREAM_PAYLOAD_BYTES });

await runLoad((target) => {
  const tls = tlsFiles();
  const channel = createChannel(target, tls === undefined ? {} : { tls: { ca: tls.cert } });
  const client = createClient(EchoService, channel);
  return {
    unary: async () => (await client.unary(unaryRequest)).message,
    async serverStream(counter) {
      for await (const _ of client.serverStream(streamRequest)) counter.messages++;
    },
  };
});
