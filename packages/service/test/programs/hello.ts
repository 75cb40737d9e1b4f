// The smallest service there is.
import { runService } from "@tercel/service";
import { EchoService } from "../gen/tercel/service/test/v1/echo_pb.ts";

await runService((router) => {
  router.service(EchoService, { unary: ({ text }) => ({ text: `Hello, ${text}!` }) });
});
