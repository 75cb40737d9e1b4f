import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import * as errors from "@tercel/grpc/errors";
import { assertStatus } from "@tercel/grpc/testing";
import { EchoRequestSchema } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { openInMemory, overBothTransports } from "./support/open-echo.ts";

const creators: Record<string, readonly [(init: string) => ConnectError, Code]> = {
  canceled: [errors.canceled, Code.Canceled],
  unknown: [errors.unknown, Code.Unknown],
  invalidArgument: [errors.invalidArgument, Code.InvalidArgument],
  deadlineExceeded: [errors.deadlineExceeded, Code.DeadlineExceeded],
  notFound: [errors.notFound, Code.NotFound],
  alreadyExists: [errors.alreadyExists, Code.AlreadyExists],
  permissionDenied: [errors.permissionDenied, Code.PermissionDenied],
  resourceExhausted: [errors.resourceExhausted, Code.ResourceExhausted],
  failedPrecondition: [errors.failedPrecondition, Code.FailedPrecondition],
  aborted: [errors.aborted, Code.Aborted],
  outOfRange: [errors.outOfRange, Code.OutOfRange],
  unimplemented: [errors.unimplemented, Code.Unimplemented],
  internal: [errors.internal, Code.Internal],
  unavailable: [errors.unavailable, Code.Unavailable],
  dataLoss: [errors.dataLoss, Code.DataLoss],
  unauthenticated: [errors.unauthenticated, Code.Unauthenticated],
};

const classes: Record<string, errors.StatusErrorClass<Code>> = {
  CanceledError: errors.CanceledError,
  UnknownError: errors.UnknownError,
  InvalidArgumentError: errors.InvalidArgumentError,
  DeadlineExceededError: errors.DeadlineExceededError,
  NotFoundError: errors.NotFoundError,
  AlreadyExistsError: errors.AlreadyExistsError,
  PermissionDeniedError: errors.PermissionDeniedError,
  ResourceExhaustedError: errors.ResourceExhaustedError,
  FailedPreconditionError: errors.FailedPreconditionError,
  AbortedError: errors.AbortedError,
  OutOfRangeError: errors.OutOfRangeError,
  UnimplementedError: errors.UnimplementedError,
  InternalError: errors.InternalError,
  UnavailableError: errors.UnavailableError,
  DataLossError: errors.DataLossError,
  UnauthenticatedError: errors.UnauthenticatedError,
};

describe("errors made with one call", () => {
  it("there is one for each code", () => {
    const codes = Object.values(creators).map(([, code]) => code);
    assert.deepEqual(new Set(codes), new Set(Object.values(Code).filter((code) => typeof code === "number")));
  });

  for (const [name, [create, code]] of Object.entries(creators)) {
    it(`${name} has its code and the text it is given`, () => {
      const error = create("just so");
      assert.equal(error.code, code);
      assert.equal(error.rawMessage, "just so");
      assert.deepEqual(error.details, []);
    });
  }

  it("say by themselves what the details say", () => {
    assert.equal(
      errors.invalidArgument({ field: "email", description: "has to contain an @" }).rawMessage,
      "email has to contain an @",
    );
    assert.equal(errors.notFound({ resource: "users/7" }).rawMessage, '"users/7" was not found');
    assert.equal(errors.alreadyExists({ resource: { type: "user", name: "7" } }).rawMessage, 'user "7" exists already');
    assert.equal(
      errors.resourceExhausted({ quota: [{ subject: "user:7", description: "100 a day" }] }).rawMessage,
      "100 a day",
    );
  });

  it("describe three violations and count the others", () => {
    const violations = Array.from({ length: 5 }, (_, at) => ({ field: `f${at}`, description: "is wrong" }));
    assert.equal(
      errors.invalidArgument({ violations }).rawMessage,
      "f0 is wrong; f1 is wrong; f2 is wrong; and 2 more",
    );
  });

  it("refuse an option no one knows and name the nearest", () => {
    const init = { resouce: "users/7" } as errors.ResourceErrorInit;
    assert.throws(() => errors.notFound(init), /notFound: unknown option "resouce"; did you mean "resource"/);
  });

  it("refuse a time to wait that is none", () => {
    for (const retryAfterMs of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => errors.unavailable({ retryAfterMs }), RangeError);
    }
    assert.equal(errors.readRetryAfterMs(errors.unavailable({ retryAfterMs: 0 })), 0);
  });

  it("keep their cause on this side", () => {
    const cause = new Error("disk full");
    assert.equal(errors.internal({ cause }).cause, cause);
  });
});

describe("classes of errors", () => {
  for (const [name, one] of Object.entries(classes)) {
    it(`${name} recognises the errors of its code and no others`, () => {
      for (const [create, code] of Object.values(creators)) {
        assert.equal(create("x") instanceof one, code === one.code, Code[code]);
      }
      assert.equal(new Error("x") instanceof one, false);
      assert.equal((undefined as unknown) instanceof one, false);
    });
  }
});

describe("details of errors", () => {
  overBothTransports((open) => {
    it("are read on the client with one call each", async (t) => {
      const { client } = await open(t, {
        unary() {
          throw errors.resourceExhausted({
            message: "slower, please",
            retryAfterMs: 1500,
            quota: [{ subject: "user:7", description: "100 calls a minute" }],
            rateLimit: { requestsPerUnit: 100, unit: "minute" },
            reason: "TOO_FAST",
            domain: "echo.example.com",
            metadata: { region: "eu", __proto__x: "1" },
            localizedMessage: { locale: "de", message: "Bitte langsamer" },
            help: [{ description: "limits", url: "https://example.com/limits" }],
            requestId: "r-1",
            details: [{ desc: EchoRequestSchema, value: { text: "own" } }],
          });
        },
      });
      const error = await assertStatus(client.unary({}), Code.ResourceExhausted, "slower, please");
      assert.ok(error instanceof errors.ResourceExhaustedError);
      assert.equal(errors.readRetryAfterMs(error), 1500);
      assert.deepEqual(errors.readQuotaViolations(error), [{ subject: "user:7", description: "100 calls a minute" }]);
      assert.deepEqual(errors.readRateLimit(error), { requestsPerUnit: 100, unit: "minute" });
      assert.deepEqual(errors.readErrorReason(error), {
        reason: "TOO_FAST",
        domain: "echo.example.com",
        metadata: new Map([
          ["region", "eu"],
          ["__proto__x", "1"],
        ]),
      });
      assert.deepEqual(errors.readLocalizedMessage(error), { locale: "de", message: "Bitte langsamer" });
      assert.deepEqual(errors.readHelp(error), [{ description: "limits", url: "https://example.com/limits" }]);
      assert.equal(errors.readRequestId(error), "r-1");
      assert.equal(error.findDetails(EchoRequestSchema)[0]?.text, "own");
    });

    it("name fields, resources and preconditions", async (t) => {
      const thrown = [
        errors.invalidArgument({ field: "email", description: "is no address", reason: "NO_ADDRESS" }),
        errors.notFound({ resource: { type: "user", name: "users/7", owner: "o", description: "d" } }),
        errors.failedPrecondition({ preconditions: [{ type: "TOS", subject: "user:7", description: "accept first" }] }),
      ];
      const { client } = await open(t, {
        unary(request) {
          throw thrown[request.count];
        },
      });
      const invalid = await assertStatus(client.unary({ count: 0 }), Code.InvalidArgument, "email is no address");
      assert.deepEqual(errors.readFieldViolations(invalid), [
        { field: "email", description: "is no address", reason: "NO_ADDRESS" },
      ]);
      const missing = await assertStatus(client.unary({ count: 1 }), Code.NotFound, 'user "users/7" was not found');
      assert.deepEqual(errors.readResource(missing), { type: "user", name: "users/7", owner: "o", description: "d" });
      const early = await assertStatus(client.unary({ count: 2 }), Code.FailedPrecondition, "accept first");
      assert.deepEqual(errors.readPreconditionViolations(early), [
        { type: "TOS", subject: "user:7", description: "accept first" },
      ]);
    });

    it("are also read from common.v1, where a server speaks only that", async (t) => {
      const { client } = await open(t, {
        unary() {
          const error = errors.withCommonDetails(
            errors.invalidArgument({ violations: [{ field: "a", description: "b" }], reason: "R", domain: "D" }),
          );
          error.details = error.details.filter((one) => "desc" in one && one.desc.typeName.startsWith("common.v1."));
          assert.equal(error.details.length, 2);
          throw error;
        },
      });
      const error = await assertStatus(client.unary({}), Code.InvalidArgument, "a b");
      assert.deepEqual(errors.readFieldViolations(error), [{ field: "a", description: "b" }]);
      assert.deepEqual(errors.readErrorReason(error), { reason: "R", domain: "D", metadata: new Map() });
    });
  });

  it("are absent, not wrong, where an error has none or is none of ours", () => {
    for (const error of [new ConnectError("x"), new Error("x"), undefined, "x"]) {
      assert.deepEqual(errors.readFieldViolations(error), []);
      assert.deepEqual(errors.readQuotaViolations(error), []);
      assert.deepEqual(errors.readPreconditionViolations(error), []);
      assert.deepEqual(errors.readHelp(error), []);
      assert.equal(errors.readRetryAfterMs(error), undefined);
      assert.equal(errors.readErrorReason(error), undefined);
      assert.equal(errors.readResource(error), undefined);
      assert.equal(errors.readRateLimit(error), undefined);
      assert.equal(errors.readLocalizedMessage(error), undefined);
      assert.equal(errors.readRequestId(error), undefined);
      assert.equal(errors.readDebugInfo(error), undefined);
    }
  });
});

describe("debug information", () => {
  const debug = { detail: "row 7 is locked", stackEntries: ["at here"] };

  it("does not leave the server unless it says so", async (t) => {
    const { client } = await openInMemory(t, {
      unary() {
        throw errors.aborted({ message: "try again", debug, requestId: "r-1" });
      },
    });
    const error = await assertStatus(client.unary({}), Code.Aborted, "try again");
    assert.equal(errors.readDebugInfo(error), undefined);
    assert.equal(errors.readRequestId(error), "r-1");
  });

  it("of another service does not pass through either", async (t) => {
    const options = { server: { exposeDebugInfo: true } };
    const inner = await openInMemory(t, { unary: () => Promise.reject(errors.aborted({ debug })) }, options);
    const outer = await openInMemory(t, { unary: (request) => inner.client.unary(request) });
    const shown = await inner.client.unary({}).catch((error: unknown) => error);
    assert.deepEqual(errors.readDebugInfo(shown), debug);
    const hidden = await assertStatus(outer.client.unary({}), Code.Aborted, "another call got in the way");
    assert.equal(errors.readDebugInfo(hidden), undefined);
  });

  it("tells a developer what a handler threw by accident, and others nothing", async (t) => {
    const handlers = {
      unary(): never {
        throw new TypeError("password is undefined");
      },
    };
    const open = await openInMemory(t, handlers, { server: { exposeDebugInfo: true } });
    const shown = await assertStatus(open.client.unary({}), Code.Internal, "internal error");
    const info = errors.readDebugInfo(shown);
    assert.equal(info?.detail, "TypeError: password is undefined");
    assert.match(info.stackEntries[0] ?? "", /^at .*errors\.test\.ts/);
    const closed = await openInMemory(t, handlers);
    const hidden = await assertStatus(closed.client.unary({}), Code.Internal, "internal error");
    assert.deepEqual(hidden.details, []);
  });

  it("tells a developer the cause of an INTERNAL error too, which an interceptor may have made", async (t) => {
    const cause = new TypeError("row is undefined");
    const handlers = { unary: () => Promise.reject(errors.internal({ message: "internal error, id 7", cause })) };
    const open = await openInMemory(t, handlers, { server: { exposeDebugInfo: true } });
    const shown = await assertStatus(open.client.unary({}), Code.Internal, "internal error, id 7");
    assert.equal(errors.readDebugInfo(shown)?.detail, "TypeError: row is undefined");
    const closed = await openInMemory(t, handlers);
    assert.deepEqual((await assertStatus(closed.client.unary({}), Code.Internal)).details, []);
  });
});
