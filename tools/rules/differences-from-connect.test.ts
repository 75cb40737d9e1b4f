// The differences between Tercel's servers and Connect's that docs/guides/from-connect.md lists, each tested on both.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import {
  type ConnectRouter,
  createClient,
  createRouterTransport,
  type HandlerContext,
  type Interceptor,
  type ServiceImpl,
} from "@connectrpc/connect";
import { createHealth } from "@tercel/grpc/services";
import { createInMemoryTransport } from "@tercel/grpc/testing";

const { service } = createHealth();
type Routes = (router: ConnectRouter) => void;

/** Calls a service on Connect's router and on a Tercel server, both with an interceptor of the whole server. */
async function callOnBoth(t: TestContext, routes: Routes, outer: Interceptor): Promise<void> {
  const ours = createInMemoryTransport({ routes, serverOptions: { interceptors: [outer] } });
  t.after(() => ours.close());
  for (const transport of [createRouterTransport(routes, { router: { interceptors: [outer] } }), ours]) {
    await createClient(service, transport).check({});
  }
}

describe("unlike Connect's", () => {
  it("interceptors of a service run after those of the server, instead of replacing them", async (t) => {
    const seen: string[] = [];
    const noting =
      (name: string): Interceptor =>
      (next) =>
      (request) => {
        seen.push(name);
        return next(request);
      };
    const routes: Routes = (router) => {
      const handlers: Partial<ServiceImpl<typeof service>> = {
        check() {
          seen.push("handler");
          return { status: 1 };
        },
      };
      router.service(service, handlers, { interceptors: [noting("service")] });
    };
    await callOnBoth(t, routes, noting("server"));
    assert.deepEqual(seen, ["service", "handler", "server", "service", "handler"]);
  });

  it("a copy of the context by spreading lacks the properties that are computed on access", async (t) => {
    const seen: unknown[] = [];
    const routes: Routes = (router) => {
      router.service(service, {
        check(_request, context) {
          const copy: Partial<HandlerContext> = { ...context };
          const parts = ["requestHeader", "responseHeader", "responseTrailer", "signal", "values"] as const;
          seen.push([
            parts.filter((part) => context[part] !== undefined).length,
            parts.filter((part) => copy[part] !== undefined).length,
          ]);
          return { status: 1 };
        },
      });
    };
    await callOnBoth(t, routes, (next) => (request) => next(request));
    assert.deepEqual(seen, [
      [5, 5],
      [5, 0],
    ]);
  });

  it("the guide for users of Connect lists these differences", () => {
    const page = readFileSync(join(import.meta.dirname, "../../docs/guides/from-connect.md"), "utf8");
    const [, differences = ""] = page.split("## What is different\n");
    assert.match(differences, /\*\*A context cannot be spread\.\*\*/);
    assert.match(differences, /\*\*Interceptors of a single service add to those of the server\.\*\*/);
  });
});
