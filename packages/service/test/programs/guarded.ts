// A service that has an access rule for one of its methods, and none for the others.
import { runService } from "@tercel/service";
import { EchoService } from "../gen/tercel/service/test/v1/echo_pb.ts";

await runService({
  access: {
    "tercel.service.test.v1.EchoService/ServerStream": "public",
    "tercel.service.test.v1.EchoService/ClientStream": "public",
    "tercel.service.test.v1.EchoService/Bidi": "public",
  },
  routes(router) {
    router.service(EchoService, {});
  },
});
