import { test } from "node:test";
import { CheckedConnection } from "./checked-connection.ts";
test("x", async()=>{
 for (const role of ["server","client"] as const) {
  const c = new CheckedConnection({role, script: Uint8Array.of(0,1,2,3,4,5,6,7,8)});
  c.deliver(Buffer.from("000000040000000000","hex"));
  await c.finish();
  console.log(c.events, c.frames);
 }
});
