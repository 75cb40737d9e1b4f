import assert from "node:assert/strict";
import { it } from "node:test";
import { CommandFailure } from "../frame/failure.ts";
import { readSettings, settingsFor } from "./service-config.ts";

it("gives settings to all services, or to the one that they name", () => {
  const given = readSettings([
    "service.port=6000",
    "order-service:service.port=7000",
    "app.url=http://a:1/b=c",
    "order-service:app.text=",
  ]);
  assert.deepEqual(settingsFor("user-service", given), ["service.port=6000", "app.url=http://a:1/b=c"]);
  assert.deepEqual(settingsFor("order-service", given), [
    "service.port=6000",
    "service.port=7000",
    "app.url=http://a:1/b=c",
    "app.text=",
  ]);
});

it("refuses what is not a setting, without its value", () => {
  for (const text of ["service.port", "=6000", "a:=secret", ""]) {
    assert.throws(
      () => readSettings([text]),
      (error) => {
        assert.ok(error instanceof CommandFailure);
        assert.match(error.message, /^invalid --set ".*": expected key=value, or service:key=value for one service$/);
        assert.doesNotMatch(error.message, /secret|6000/);
        return true;
      },
    );
  }
});
