import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ConnectRouter, Interceptor, ServiceImpl } from "@connectrpc/connect";
import { EchoService } from "../../test/gen/tercel/grpc/test/v1/echo_pb.ts";
import { createChannel } from "../channel/channel.ts";
import { createInMemoryTransport } from "../testing/in-memory-transport.ts";
import { createServer } from "./server.ts";

const echo = "tercel.grpc.test.v1.EchoService";
const unary = () => ({});

function assertRefused(routes: (router: ConnectRouter) => unknown, message: RegExp): void {
  const refusal = { name: "TypeError", message };
  assert.throws(() => createServer({ routes: routes as (router: ConnectRouter) => void }), refusal);
  assert.throws(() => createInMemoryTransport({ routes: routes as (router: ConnectRouter) => void }), refusal);
}

describe("a handler", () => {
  it("for a method that the service does not have is refused, with the nearest", () => {
    for (const [name, nearest] of [
      ["unry", "unary"],
      ["Unary", "unary"],
      ["server_stream", "serverStream"],
    ] as const) {
      const routes = (router: ConnectRouter) => router.service(EchoService, { [name]: unary });
      assertRefused(
        routes,
        new RegExp(`router\\.service\\(${echo}\\): the service has no method "${name}"; did you mean "${nearest}"\\?`),
      );
    }
    const routes = (router: ConnectRouter) => router.service(EchoService, { zzz: unary } as object);
    assertRefused(routes, /no method "zzz"\. Its methods: unary, /);
  });

  it("that cannot be called is refused", () => {
    for (const [handler, shown] of [
      [42, "42"],
      [null, "null"],
      [{}, "an object"],
      ["x", '"x"'],
    ] as const) {
      const routes = (router: ConnectRouter) => router.service(EchoService, { unary: handler as never });
      assertRefused(routes, new RegExp(`EchoService\\): the handler unary is ${shown}; it has to be a function`));
      const rpc = (router: ConnectRouter) => router.rpc(EchoService.method.unary, handler as never);
      assertRefused(
        rpc,
        new RegExp(`router\\.rpc\\(${echo}/Unary\\): the handler is ${shown}; it has to be a function`),
      );
    }
    assertRefused((router) => router.service(EchoService, undefined as never), /the implementation is undefined/);
    assertRefused(
      (router) => router.service(undefined as never, {}),
      /router\.service: the first argument is undefined/,
    );
    assertRefused(
      (router) => router.rpc(EchoService as never, unary as never),
      /router\.rpc: .* the descriptor of a rpc/,
    );
  });

  it("may be missing or undefined, have state next to it, and be a method of a class that has others", async () => {
    class Echo implements Partial<ServiceImpl<typeof EchoService>> {
      readonly prefix = "echo ";
      greet(text: string): string {
        return this.prefix + text;
      }
      unary(request: { text: string }) {
        return { text: this.greet(request.text) };
      }
    }
    for (const implementation of [
      new Echo(),
      {},
      { unary: undefined },
      { unary, calls: 0 } as object,
      Object.assign(Object.create(null), { unary }),
    ]) {
      await createServer({ routes: (router) => void router.service(EchoService, implementation) }).close();
    }
    await createServer({ routes: (router) => void router.rpc(EchoService.method.unary, unary) }).close();
  });
});

describe("an interceptor", () => {
  const interceptor: Interceptor = (next) => next;
  const entries: [string, (interceptors: never) => unknown, RegExp][] = [
    ["a server", (interceptors) => createServer({ routes() {}, interceptors }), /^createServer: /],
    ["a channel", (interceptors) => createChannel("localhost:1", { interceptors }), /^createChannel: /],
    [
      "a service",
      (interceptors) => createServer({ routes: (router) => void router.service(EchoService, {}, { interceptors }) }),
      /^router\.service\(.*EchoService\): /,
    ],
    [
      "a method",
      (interceptors) =>
        createServer({ routes: (router) => void router.rpc(EchoService.method.unary, unary, { interceptors }) }),
      /^router\.rpc\(.*EchoService\/Unary\): /,
    ],
  ];
  for (const [whose, make, where] of entries) {
    it(`of ${whose} has to be a function`, () => {
      for (const [given, expected] of [
        [[42], /interceptors\[0\] is 42; it has to be a function$/],
        [[interceptor, undefined], /interceptors\[1\] is undefined; it has to be a function$/],
        [
          [{ interceptor }],
          /interceptors\[0\] is an object; it has to be a function; did you mean its "interceptor"\?$/,
        ],
        [[[interceptor]], /interceptors\[0\] is an array; it has to be a function$/],
        [interceptor, /interceptors is a function; it has to be an array of functions$/],
      ] as const) {
        assert.throws(
          () => make(given as never),
          (error) => error instanceof TypeError && where.test(error.message) && expected.test(error.message),
        );
      }
      make([interceptor] as never);
      make([] as never);
      make(undefined as never);
    });
  }
});
