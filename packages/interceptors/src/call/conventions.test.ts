import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { chooseConventions } from "./conventions.ts";

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
    assert.equal(chooseConventions("createX", undefined), "opentelemetry");
    process.env[variable] = "http,rpc";
    assert.equal(chooseConventions("createX", undefined), "opentelemetry");
  });

  it("takes both where the environment asks for rpc/dup, unless the option says something else", () => {
    process.env[variable] = "http, rpc/dup";
    assert.equal(chooseConventions("createX", undefined), "both");
    assert.equal(chooseConventions("createX", "grpc"), "grpc");
  });

  it("refuses a name that it does not know", () => {
    assert.throws(
      () => chooseConventions("createX", "gRPC" as never),
      /^TypeError: createX: conventions is "gRPC"; expected one of opentelemetry, grpc, both; did you mean "grpc"\?$/,
    );
  });
});
