import assert from "node:assert/strict";
import { test } from "node:test";
import { explainStartFailure } from "./explain-start-failure.ts";

const explain = (error: unknown) => explainStartFailure(error, "127.0.0.1", 50051, "--user-port or SHOP_USER_PORT");
const systemError = (code: string) => Object.assign(new Error(`listen ${code}`), { code, syscall: "listen" });

test("a taken port is named with the ways to change it", () => {
  const text =
    "port 50051 on 127.0.0.1 is taken; choose another with --user-port or SHOP_USER_PORT (0 picks a free one)";
  assert.equal(explain(systemError("EADDRINUSE")), text);
  assert.equal(explain(new Error("cannot listen", { cause: systemError("EADDRINUSE") })), text);
});

test("a port for the administrator only is named with the ways to change it", () => {
  assert.match(explain(systemError("EACCES")), /may not be used by this user; .* --user-port or SHOP_USER_PORT/);
});

test("an interface that is not there is named with the ways to change it", () => {
  assert.match(explain(systemError("EADDRNOTAVAIL")), /no interface 127\.0\.0\.1; .*--host or SHOP_HOST/);
  assert.match(explain(systemError("ENOTFOUND")), /no interface/);
});

test("a file that this user may not read is not taken for a port", () => {
  const error = Object.assign(new Error("EACCES: permission denied, open '/etc/keys'"), {
    code: "EACCES",
    syscall: "open",
  });
  assert.equal(explain(error), "EACCES: permission denied, open '/etc/keys'");
});

test("any other failure is told in its own words", () => {
  assert.equal(explain(new Error("disk full")), "disk full");
  assert.equal(explain("odd"), "odd");
});

test("an error that is its own cause is told too", () => {
  const error = new Error("round and round");
  error.cause = error;
  assert.equal(explain(error), "round and round");
});
