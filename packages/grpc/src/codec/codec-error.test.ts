import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { HealthCheckRequestSchema } from "../gen/grpc/health/v1/health_pb.ts";
import { codecError } from "./codec-error.ts";

test("says what failed and why, and keeps the cause", () => {
  const cause = new RangeError("premature EOF");
  const error = codecError("decode", HealthCheckRequestSchema, cause, Code.Internal);
  assert.equal(error.rawMessage, "cannot decode grpc.health.v1.HealthCheckRequest: premature EOF");
  assert.equal(error.code, Code.Internal);
  assert.equal(error.cause, cause);
});
