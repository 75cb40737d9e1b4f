import { callInfo } from "@tercel/grpc";
import { client, defineService, runServices } from "@tercel/service";
import { EchoService } from "../gen/tercel/service/test/v1/echo_pb.ts";

const back = defineService({
  routes(router) {
    router.service(EchoService, {
      unary({ text }, { requestHeader, values }) {
        const version = requestHeader.get("x-client-version");
        const way = values.get(callInfo)?.peerAddress === undefined ? "memory" : "a socket";
        return { text: `${text} of ${version} over ${way}` };
      },
    });
  },
});

const front = defineService({
  needs: { back: client(EchoService, "back") },
  routes(router, { back: other }) {
    router.service(EchoService, { unary: (request) => other.unary(request) });
  },
});

await runServices([
  { definition: front, folder: "front" },
  { definition: back, folder: "back" },
]);
