import { client, defineService } from "@tercel/service";
import { HelloService } from "../hello/gen/hello/v1/hello_pb.ts";

export const polite = defineService({
  needs: {
    hello: client(HelloService, "hello-service"), // found by its name, with the configured discovery
  },
  routes(router, { hello, log }) {
    router.service(HelloService, {
      async sayHello(request) {
        log.debug("asking another service", { name: request.name });
        const { greeting } = await hello.sayHello(request);
        return { greeting: `${greeting} How are you?` };
      },
    });
  },
});
