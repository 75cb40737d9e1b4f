// A service with a database, as the printed config.yaml has one.
import { database, runService, sql } from "@tercel/service";
import { EchoService } from "../gen/tercel/service/test/v1/echo_pb.ts";

await runService({
  needs: { db: database() },
  routes(router, { db }) {
    router.service(EchoService, {
      async unary({ text }) {
        const row = await db.first<{ answer: string }>(sql`SELECT ${text}::text || '!' AS answer`);
        return { text: row?.answer ?? "" };
      },
    });
  },
});
