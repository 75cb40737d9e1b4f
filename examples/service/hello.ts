import { defineService } from "@tercel/service";
import { HelloService } from "../hello/gen/hello/v1/hello_pb.ts";

export const hello = defineService({
  routes(router) {
    router.service(HelloService, { sayHello: ({ name }) => ({ greeting: `Hello, ${name}!` }) });
  },
});
