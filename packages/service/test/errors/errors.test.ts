// Errors and access rules that a proto declares: compiled by buf, made by a server, recognized by clients.
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { DescEnum, DescService } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { notFound, readErrorReason } from "@tercel/grpc/errors";
import { assertStatus } from "@tercel/grpc/testing";
import { type Definition, defineService, type Needs, type RunningService, startService } from "@tercel/service";
import { defineErrors } from "@tercel/service/errors";
import { testService } from "@tercel/service/testing";
import { onEnd } from "../kit/on-end.ts";
import { compileLibrary } from "./compile-library.ts";

const registry = compileLibrary();
const enumOf = (name: string) => registry.getEnum(`library.v1.${name}`) as DescEnum;
const serviceOf = (name: string) => registry.getService(`library.v1.${name}`) as DescService;

/** As protoc-gen-es generates it. */
const LibraryError = { UNSPECIFIED: 0, BOOK_NOT_FOUND: 1, BOOK_LENT: 2, CARD_EXPIRED: 3 } as const;
const errors = defineErrors(enumOf("LibraryError"), LibraryError);

const LibraryService = serviceOf("LibraryService");
const library = defineService({
  routes(router) {
    router.service(LibraryService, {
      getBook({ isbn }: { readonly isbn: string }) {
        if (isbn === "lent") throw errors.bookLent({ isbn, until: "Friday" });
        if (isbn === "card") throw errors.cardExpired();
        throw errors.bookNotFound({ isbn });
      },
      // The descriptor is made at run time, so that the compiler knows nothing of its methods.
    } as never);
  },
});

async function failureOf(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
  } catch (error) {
    return error;
  }
  assert.fail("the call succeeded");
}

describe("errors of an enum", () => {
  it("reach the client with the code and text of the proto, and are recognized there", async (t) => {
    const service = await testService(library);
    t.after(() => service.stop());
    // biome-ignore lint/suspicious/noExplicitAny: methods of a descriptor that is made at run time
    const client = service.client(LibraryService) as any;
    const missing = await failureOf(client.getBook({ isbn: "42" }));
    assert.ok(errors.isBookNotFound(missing));
    assert.deepEqual([missing.code, missing.rawMessage], [Code.NotFound, "book 42 was not found"]);
    assert.equal(errors.isBookLent(missing), false);
    assert.equal(errors.reasonOf(missing), "BOOK_NOT_FOUND");
    assert.deepEqual(readErrorReason(missing), {
      reason: "LIBRARY_ERROR_BOOK_NOT_FOUND",
      domain: "library.example.com",
      metadata: new Map([["isbn", "42"]]),
    });
    const lent = await failureOf(client.getBook({ isbn: "lent" }));
    assert.ok(errors.isBookLent(lent));
    assert.equal(lent.rawMessage, "book lent is lent until Friday");
    const expired = await failureOf(client.getBook({ isbn: "card" }));
    assert.equal(errors.reasonOf(expired), "CARD_EXPIRED");
    assert.equal(ConnectError.from(expired).code, Code.PermissionDenied);
  });

  it("have the HTTP status of the proto over REST, else that of their code", async (t) => {
    const service = await start(t, library, { communication: { providers: { http: {} } } });
    const get = async (isbn: string) => {
      const response = await fetch(`http://${textOf(service.httpAddress)}/v1/books/${isbn}`);
      return [response.status, ((await response.json()) as { error: { status: string } }).error.status];
    };
    assert.deepEqual(await get("lent"), [423, "FAILED_PRECONDITION"]);
    assert.deepEqual(await get("42"), [404, "NOT_FOUND"]);
  });

  it("are told from errors of the same code, of another domain and of none", () => {
    assert.equal(errors.isBookNotFound(notFound("x")), false);
    const other = notFound({ reason: "LIBRARY_ERROR_BOOK_NOT_FOUND", domain: "elsewhere" });
    assert.equal(errors.isBookNotFound(other), false);
    assert.equal(errors.isBookNotFound(new Error("x")), false);
    assert.equal(errors.reasonOf(undefined), undefined);
  });

  it("have the package as their domain where the enum names none", () => {
    const gone = defineErrors(enumOf("NoDomainError"), { UNSPECIFIED: 0, GONE: 1 } as const).gone();
    assert.equal(readErrorReason(gone)?.domain, "library.v1");
  });

  it("keep a cause on this side, take another text, and leave in the text what no fact fills", () => {
    const cause = new Error("inside");
    const error = errors.bookLent({ isbn: 7n }, { cause });
    assert.equal(error.cause, cause);
    assert.equal(error.rawMessage, "book 7 is lent until {until}");
    assert.equal(errors.bookLent({}, { message: "no" }).rawMessage, "no");
  });

  it("are refused for values without a rule and for another enum", () => {
    const unruled = () => defineErrors(enumOf("UnruledError"), { UNSPECIFIED: 0, UNRULED: 1 } as const);
    assert.throws(unruled, /library\.v1\.UnruledError\.UNRULED_ERROR_UNRULED has no rule; add/);
    assert.throws(
      () => defineErrors(enumOf("LibraryError"), { UNSPECIFIED: 0 } as const),
      /is not the enum library\.v1\.LibraryError: it has no BOOK_NOT_FOUND/,
    );
    assert.throws(() => defineErrors(LibraryService as never, {}), /must be an enum's schema/);
  });
});

describe("a service whose proto says who may call", () => {
  it("lets in no one without a token, though the code says nothing", async (t) => {
    const DeskService = serviceOf("DeskService");
    const desk = defineService({
      routes: (router) => void router.service(DeskService, { lend: () => ({}) } as never),
    });
    const service = await testService(desk);
    t.after(() => service.stop());
    // biome-ignore lint/suspicious/noExplicitAny: methods of a descriptor that is made at run time
    const client = service.client(DeskService) as any;
    await assertStatus(client.lend({}), Code.Unauthenticated, "the call carries no bearer token");
  });

  it("does not start while one of its methods has no rule", async () => {
    const HalfGuarded = serviceOf("HalfGuardedService");
    const half = defineService({
      routes: (router) => void router.service(HalfGuarded, { lend: () => ({}), return: () => ({}) } as never),
    });
    await assert.rejects(testService(half), /library\.v1\.HalfGuardedService\/Return/);
  });
});

async function start<N extends Needs>(test: TestContext, definition: Definition<N>, config: object) {
  const service = await startService(definition, {
    file: false,
    overlays: false,
    variables: {},
    config: { service: { port: 0 }, logging: { providers: { console: { level: "error" } } }, ...config },
  });
  onEnd(test, () => service.stop());
  return service;
}

function textOf(address: RunningService["httpAddress"]): string {
  return `${address?.host}:${address?.port}`;
}
