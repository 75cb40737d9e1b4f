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

  it("returns OpenTelemetry's by default", () => {
    assert.equal(chooseConventions(undefined), "opentelemetry");
    process.env[variable] = "http,rpc";
    assert.equal(chooseConventions(undefined), "opentelemetry");
  });

  it("returns both if the environment has rpc/dup, unless the option is set", () => {
    process.env[variable] = "http, rpc/dup";
    assert.equal(chooseConventions(undefined), "both");
    assert.equal(chooseConventions("grpc"), "grpc");
  });

  it("rejects an unknown name with the nearest one", () => {
    const table = { conventions: conventionsOption() };
    assert.equal(readOptions("createX", table, { conventions: "both" }).conventions, "both");
    assert.throws(
      () => readOptions("createX", table, { conventions: "gRPC" as never }),
      /^TypeError: createX: conventions is "gRPC"; expected one of opentelemetry, grpc, both; did you mean "grpc"\?$/,
    );
  });
});
