import { clone } from "@bufbuild/protobuf";
import { type Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { createGateway } from "@tercel/gateway";
import { createServer, type Server } from "@tercel/grpc";
import { type Sample, SampleSchema, Transcoding } from "../gen/tercel/gateway/transcoding/v1/transcoding_pb.ts";

/** The received request and its method. */
function reached(request: Sample, { method }: HandlerContext): Sample {
  return Object.assign(clone(SampleSchema, request), { method: method.name });
}

const handlers: ServiceImpl<typeof Transcoding> = {
  getItem: reached,
  getSpecial: reached,
  peekItem: reached,
  deleteItem: reached,
  reportItem: reached,
  getBook: reached,
  getNested: reached,
  getTail: reached,
  statTail: reached,
  getDeep: reached,
  getAny: reached,
  getFixed: reached,
  getEnd: reached,
  getStop: reached,
  getPair: reached,
  getSpaced: reached,
  getTyped: reached,
  search: reached,
  postAll: reached,
  putAll: reached,
  postNothing: reached,
  postPart: reached,
  patchChild: reached,
  returnPart: reached,
  download: ({ id, text }) => ({ contentType: id, data: Buffer.from(text) }),
  upload: ({ name, id, file }, { method }) => ({
    ...{ method: method.name, name, id },
    ...(file === undefined ? {} : { text: file.contentType, data: file.data }),
  }),
  returnRaw: (body) => body,
  fail({ small, text }) {
    throw new ConnectError(text, small as Code);
  },
  attend(request, context) {
    const answer = context.requestHeader.get("x-echo");
    if (answer !== null) context.responseHeader.set("x-answer", answer);
    context.responseTrailer.set("x-end", "of the call");
    const small = Math.ceil((context.timeoutMs() ?? 0) / 1000);
    return Object.assign(reached(request, context), { small });
  },
};

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** Starts a server with the service on a free port. Its errors are google.rpc.Status, as in other transcoders. */
export async function startTranscoding(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer({
    routes: (router) => router.service(Transcoding, handlers),
    gateway: createGateway({ errorBody: "status" }),
    log: quiet,
  });
  const { port } = await server.listen({ port: 0 });
  return { server, port };
}
