import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import type { Log } from "@tercel/grpc";
import type { Database } from "@tercel/service/database";

/** The message type of the relayed events. */
export const relayedSchema = StringValueSchema;
export const relayedTopic = relayedSchema.typeName;
export const relayedEvents = 20_000;

const eventsOfTransaction = 500;
const keys = 100;
const payload = "x".repeat(100);

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** Fills the outbox of a database with existing tables. */
export async function fillOutbox(database: Database): Promise<void> {
  for (let first = 0; first < relayedEvents; first += eventsOfTransaction) {
    await database.transaction(async (tx) => {
      for (let at = first; at < first + eventsOfTransaction; at++) {
        await tx.publish(relayedSchema, { value: payload }, { key: String(at % keys) });
      }
    });
  }
}
