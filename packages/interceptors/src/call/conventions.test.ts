import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { chooseConventions, conventionsOption } from "./conventions.ts";
import { readOptions } from "./options.ts";

const variable = "OTEL_SEMCONV_STABILITY_OPT_IN";

describe("chooseConventions", () => {
  const before = process.env[variable];
  beforeEach(() => {
    delete process.env[variable];
  });
  afterEach(() => {
    if (before === undefined) delete process.env[variable];
    else process.env[variable] = before;
  });

  it("takes OpenTelemetry's where nothing is chosen", () => {
    assert.equal(chooseConventions(undefined), "opentelemetry");
    process.env[variable] = "http,rpc";
    assert.equal(chooseConventions(undefined), "opentelemetry");
  });

  it("takes both where the environment has rpc/dup, unless the option says something else", () => {
    process.env[variable] = "http, rpc/dup";
    assert.equal(chooseConventions(undefined), "both");
    assert.equal(chooseConventions("grpc"), "grpc");
  });

  it("are chosen by name, and a wrong one is refused with the nearest", () => {
    const table = { conventions: conventionsOption() };
    assert.equal(readOptions("createX", table, { conventions: "both" }).conventions, "both");
    assert.throws(
      () => readOptions("createX", table, { conventions: "gRPC" as never }),
      /^TypeError: createX: conventions is "gRPC"; expected one of opentelemetry, grpc, both; did you mean "grpc"\?$/,
    );
  });
});
