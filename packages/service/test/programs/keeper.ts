// A service with a database whose folder of migrations is an argument of the test.
import { pathToFileURL } from "node:url";
import { database, runService, sql } from "@tercel/service";
import { EchoService } from "../gen/tercel/service/test/v1/echo_pb.ts";

await runService({
  needs: { db: database({ migrations: pathToFileURL(`${process.env.MIGRATIONS}/`) }) },
  routes(router, { db }) {
    router.service(EchoService, {
      async unary({ text }) {
        await db.run(sql`INSERT INTO texts (text) VALUES (${text})`);
        return { text };
      },
    });
  },
});
